"""The outside services that functions talk to: one module each, nothing imported before it is needed."""
