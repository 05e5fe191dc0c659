"""A resource as the type of a response of the FastAPI example."""

import jsonschema  # type: ignore[import-untyped]  # its stubs are not installed
import pytest

from tests.examples.conftest import App

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("app", ["fastapi_app"], indirect=True)
async def test_the_example_answers_with_a_resource(app: App) -> None:
    """With the requested attributes alone, and as the schema of the application says."""
    async with app.visitor.get("/members/7/profile") as answer:
        members = await answer.json()
    assert (answer.status, members["type"], members["id"]) == (200, "customers", "7")
    assert {"name", "email"} < members.keys()
    assert "net_revenue" not in members
    async with app.visitor.get("/openapi.json") as answer:
        schema = await answer.json()
    answered = schema["paths"]["/members/{customer_id}/profile"]["get"]["responses"]["200"]["content"]
    assert answered == {"application/json": {"schema": {"$ref": "#/components/schemas/Customer"}}}
    jsonschema.validate(members, schema["components"]["schemas"]["Customer"])
