"""Scripts: what a customer's code is given, what it may answer, and what runs it.

>>> from fulcrum.script import Context, Message, Result, needs
>>> @needs("deviceData", params=["limit"])
... def run(message: Message, context: Context) -> Result:
...     if context.device_data["temperature"] > context.params["limit"]:
...         context.send_sms("too warm", to=["+4700000000"])
...     return None
"""
