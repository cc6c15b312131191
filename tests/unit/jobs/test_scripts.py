"""Deleted scripts: their functions go too, whatever happens in between."""

from __future__ import annotations

from shared import script_documents
from shared.model.project import PROJECT
from shared.model.script import SCRIPT
from tests.support.api import Api
from tests.support.jobs import Jobs, references
from tests.support.projects import Farm, delete


def gone(api: Api) -> set[tuple[str, str, str]]:
    found = map(script_documents.decode, api.topics.take(script_documents.TOPIC))
    return {(one.project_id, one.deployment_id, one.script_id) for one in found}


async def test_the_function_of_a_deleted_script_is_removed(api: Api, jobs: Jobs) -> None:
    farm, other = Farm(api), Farm(api)
    await delete(farm.project, SCRIPT, farm.names["script"])
    await jobs.finish()
    assert gone(api) == {(farm.project, "", farm.names["script"])}
    assert await references(farm.names["script"]) == []
    assert api.documents.document(other.below("scriptStates", other.names["script"])).get().exists


async def test_a_script_that_was_never_deployed_has_no_function(api: Api, jobs: Jobs) -> None:
    farm = Farm(api)
    api.documents.document(farm.below("scriptStates", farm.names["script"])).delete()
    await delete(farm.project, SCRIPT, farm.names["script"])
    await jobs.finish()
    assert gone(api) == set()


async def test_the_functions_of_a_deleted_project_are_removed(api: Api, jobs: Jobs) -> None:
    farm = Farm(api)
    await delete(farm.project, PROJECT, farm.project)
    await jobs.finish()
    assert gone(api) == {(farm.project, "", farm.names["script"])}


async def test_it_stays_known_until_its_removal_is_asked_for(api: Api, jobs: Jobs) -> None:
    """What says that there is a function goes only once the message is out."""
    farm = Farm(api)
    state = api.documents.document(farm.below("scriptStates", farm.names["script"]))
    job_id = await delete(farm.project, SCRIPT, farm.names["script"])
    api.topics.take("jobs")
    api.topics.down = True
    try:
        assert await jobs.run(farm.project, str(job_id)) >= 500
        assert state.get().exists
    finally:
        api.topics.down = False
    assert await jobs.run(farm.project, str(job_id)) == 204
    await jobs.finish()
    assert (farm.project, "", farm.names["script"]) in gone(api)
    assert not state.get().exists
