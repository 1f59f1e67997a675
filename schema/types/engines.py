"""EngineInfo: a store engine, for example WooCommerce."""

import strawberry

from schema.enums import EngineName, StoreSetup
from stores.engines import Engine
from stores.step_durations import Durations
from stores.steps import step_names, step_titles


@strawberry.type(description="A provisioning step of an engine's stores.")
class EngineStep:
    name: str = strawberry.field(description="The step's name, as in Step.name.")
    title: str = strawberry.field(description="What the step does, for people.")
    usual_ms: int | None = strawberry.field(
        description="Median duration in the last stores of this engine that became READY; null if not yet known."
    )


@strawberry.type(description="A store engine that this installation knows.")
class EngineInfo:
    name: EngineName = strawberry.field(description="The value that createStore accepts as `engine`.")
    title: str = strawberry.field(description="Name for people.")
    description: str = strawberry.field(description="One sentence for merchants.")
    available: bool = strawberry.field(description="False: the engine is announced, but it has no release yet.")
    releases: list[str] = strawberry.field(description="All releases, the oldest first. A new store gets the last one.")
    components: list[str] = strawberry.field(description="The values that storeLogs accepts as `component`.")
    workloads: list[str] = strawberry.field(
        description="The same as `components`.", deprecation_reason="Use components."
    )
    setups: list[StoreSetup] = strawberry.field(
        description="The values that createStore accepts as `setup`, the default first."
    )
    rotates_admin_password: bool = strawberry.field(description="Whether rotateAdminPassword works for its stores.")

    steps: list[EngineStep] = strawberry.field(description="In the order in which they run.")

    @classmethod
    def from_engine(cls, engine: Engine, durations: Durations) -> "EngineInfo":
        titles = step_titles(engine)
        return cls(
            name=EngineName(engine.name),
            title=engine.title,
            description=engine.description,
            available=engine.available,
            releases=list(engine.releases),
            components=list(engine.components),
            workloads=list(engine.components),
            setups=[StoreSetup(setup) for setup in engine.setups],
            rotates_admin_password=engine.rotates,
            steps=[
                EngineStep(name=name, title=titles[name], usual_ms=durations.get((engine.name, name)))
                for name in step_names(engine)
            ],
        )
