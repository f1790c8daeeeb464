"""Which commands take `--environment`, read off the commands themselves."""

from collections.abc import Iterator

from typer.main import get_command

from app.cli import app

SCREENS_ALONE = {
    "ablate", "bootstrap", "classify", "draw", "watch", "variants ablate",
}  # fmt: skip
"Commands about one environment by their nature."


def commands(group: object, path: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    """Name of each command, and the default of each of its options."""
    for name, command in getattr(group, "commands", {}).items():
        here = f"{path} {name}".strip()
        if hasattr(command, "commands"):
            yield from commands(command, here)
        else:
            yield here, {option.name: option.default for option in command.params}


def test_the_option_means_the_same_wherever_it_is() -> None:
    found = dict(commands(get_command(app)))
    taken = {name for name, options in found.items() if "environment" in options}
    assert {found[name]["environment"] for name in taken} == {"screen"}
    assert taken >= {"nightly", "train", "evaluate", "simulate", "import", "judge eval", "judge audit"}
    of_releases = {name for name in found if name.startswith(("models ", "data ", "disputes "))}
    assert of_releases - taken == {"models gc"}
    assert not taken & SCREENS_ALONE
    assert found.keys() >= SCREENS_ALONE
