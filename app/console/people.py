"""The part of the Settings page about people: oneself, users, tokens."""

from html import escape
from typing import Any

import gradio as gr

from app.access import allow
from app.console.drawing import badge, card, moment, notice, table
from app.console.language import fragment, label, later, say
from app.console.shell import event, heading, html
from app.console.states import nothing_yet
from core import access
from core.access import acting
from core.schema import Grant, NightshiftError, Role, Scope, User
from core.services import Workspace

__all__ = ["account_card", "people_cards"]

MAY = {
    Role.VIEWER: later("looks at verdicts, figures and reports"),
    Role.OPERATOR: later("classifies, corrects and reviews"),
    Role.ENGINEER: later("also runs nights and decides which model serves"),
    Role.ADMIN: later("may do everything"),
}


def account_card(console: gr.Blocks, ws: Workspace) -> None:
    """Oneself: who one is, another password. Must be called inside a column of the page."""
    desk = _Account(ws)
    me = html()
    with gr.Column(visible=False, elem_classes="ns-card ns-form", elem_id="password-card") as change:
        heading(later("Your password"))
        old = gr.Textbox(label=label("The present one"), type="password", elem_id="old-password")
        new = gr.Textbox(
            label=label("The new one"),
            info=label("At least 12 characters."),
            type="password",
            elem_id="new-password",
        )
        save = gr.Button(label("Change password"), elem_id="change-password")
        told = html()
    console.load(desk.shown, None, [me, change], **event())
    save.click(desk.change, [old, new], [told, old, new], **event())


class _Account:
    """The handlers about oneself."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws

    @allow(Role.VIEWER)
    def shown(self) -> list[Any]:
        """Who is here."""
        who = acting()
        if who.grant is None:
            return [card(say("You"), _alone()), gr.Column(visible=False)]
        name = f'<p class="ns-headline">{escape(who.name)} {badge(who.role, "now")}</p>'
        browsers = len(access.open_sessions(self.ws, who.name))
        where = say("Signed in here alone.") if browsers == 1 else say("Signed in in {n} browsers.", n=browsers)
        told = f"<p>{escape(who.role.capitalize())}: {say(MAY[who.role])}. {where}</p>"
        return [card(say("You"), f"{name}{told}{_sign_out()}"), gr.Column(visible=True)]

    @allow(Role.VIEWER)
    def change(self, old: Any, new: Any) -> list[Any]:
        """Another password; every other browser of theirs is signed out."""
        who = acting()
        try:
            access.change_own_password(self.ws, who, str(old or ""), str(new or ""))
        except NightshiftError as error:
            return [notice(say("Not changed: {error}", error=error), "bad"), gr.skip(), gr.skip()]
        return [notice(say("Changed. Your other browsers are signed out.")), "", ""]


def people_cards(console: gr.Blocks, ws: Workspace) -> None:
    """Tokens, and for an admin users. Must be called inside a column of the page."""
    desk = _Desk(ws)
    with gr.Column(visible=False, elem_classes="ns-card ns-form", elem_id="tokens-card") as tokens_card:
        heading(later("Tokens"))
        tokens = html()
        token_name = gr.Textbox(
            label=label("Name of a new token"), placeholder=label("camera in hall 2"), elem_id="token-name"
        )
        scopes = gr.CheckboxGroup(
            [each.value for each in Scope], label=label("What it may be used for"), elem_id="token-scopes"
        )
        days = gr.Number(90, label=label("Days it lasts"), precision=0, minimum=1, elem_id="token-days")
        make = gr.Button(label("Make token"), elem_id="make-token")
        secret = html()
        chosen = gr.Dropdown(label=label("Token to revoke"), choices=[], elem_id="token")
        revoke = gr.Button(label("Revoke"), elem_id="revoke-token")
        told = html()
    with gr.Column(visible=False, elem_classes="ns-card ns-form", elem_id="users-card") as users_card:
        heading(later("Users"))
        users = html()
        name = gr.Textbox(label=label("Name"), placeholder=label("a new one, or one of these"), elem_id="user-name")
        role = gr.Dropdown(
            [each.value for each in Role], label=label("Role"), value=Role.VIEWER.value, elem_id="user-role"
        )
        word = gr.Textbox(
            label=label("Password"),
            info=label("For a new user, or a new password."),
            type="password",
            elem_id="user-word",
        )
        with gr.Row(elem_classes="ns-pair"):
            add = gr.Button(label("Add user"), elem_id="add-user")
            give_role = gr.Button(label("Set role"), elem_id="set-role")
        with gr.Row(elem_classes="ns-pair"):
            give_word = gr.Button(label("Set password"), elem_id="set-password")
            shut = gr.Button(label("Shut out"), elem_id="disable-user")
        with gr.Row(elem_classes="ns-pair"):
            let_in = gr.Button(label("Let in again"), elem_id="enable-user")
            remove = gr.Button(label("Remove"), variant="stop", elem_id="remove-user")
        said = html()
        html(fragment("roles", _roles))

    of_tokens, of_users = [tokens_card, tokens, chosen], [users_card, users]
    console.load(desk.shown, None, [*of_tokens, *of_users], **event())
    make.click(desk.make_token, [token_name, scopes, days], [secret, token_name, *of_tokens], **event())
    revoke.click(desk.revoke_token, [chosen], [told, *of_tokens], **event())
    add.click(desk.add, [name, role, word], [said, word, *of_users], **event())
    give_role.click(desk.give_role, [name, role], [said, *of_users], **event())
    give_word.click(desk.give_password, [name, word], [said, word, *of_users], **event())
    shut.click(desk.shut_out, [name], [said, *of_users], **event())
    let_in.click(desk.let_in, [name], [said, *of_users], **event())
    remove.click(desk.remove, [name], [said, *of_users], **event())


class _Desk:
    """The handlers about others. An admin sees everybody's tokens, everybody else their own."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws

    @allow(Role.VIEWER)
    def shown(self) -> list[Any]:
        """Tokens, and users where they may be seen."""
        return [*self._tokens(), *self._users()]

    @allow(Role.OPERATOR)
    def make_token(self, name: Any, scopes: Any, days: Any) -> list[Any]:
        """A token of one's own; its secret is shown this once, and kept nowhere."""
        wanted = [Scope(each) for each in scopes or () if each in list(Scope)]
        try:
            grant, secret = access.create_token(self.ws, acting().name, str(name or ""), wanted, int(days or 0))
        except NightshiftError as error:
            return [notice(say("No token was made: {error}", error=error), "bad"), gr.skip(), *[gr.skip()] * 3]
        once = say("Copy it now: it is shown this once.")
        shown = f'<code class="ns-secret">{escape(secret)}</code><p class="ns-fine">{once}</p>'
        return [f"{notice(say('{name} is made.', name=grant.name))}{shown}", "", *self._tokens()]

    @allow(Role.OPERATOR)
    def revoke_token(self, token: Any) -> list[Any]:
        """Ends a token: of one's own, or as an admin anybody's."""
        try:
            ended = access.revoke_token(self.ws, str(token or ""), owner=self._whose())
        except NightshiftError as error:
            return [notice(say("Nothing was revoked: {error}", error=error), "bad"), *self._tokens()]
        return [notice(say("{name} is revoked.", name=ended.name)), *self._tokens()]

    @allow(Role.ADMIN)
    def add(self, name: Any, role: Any, word: Any) -> list[Any]:
        """A new user."""
        return self._done(
            lambda: access.add_user(self.ws, str(name or ""), _role(role), str(word or "")),
            later("{name} is added."),
            str(word or ""),
        )

    @allow(Role.ADMIN)
    def give_role(self, name: Any, role: Any) -> list[Any]:
        """Another role, from the next request on."""
        return self._done(
            lambda: access.set_role(self.ws, str(name or ""), _role(role)), later("{name} is {role} now.")
        )

    @allow(Role.ADMIN)
    def give_password(self, name: Any, word: Any) -> list[Any]:
        """Another password; they are signed out everywhere."""
        who = acting()
        return self._done(
            lambda: access.set_password(self.ws, str(name or ""), str(word or ""), keep=who.grant),
            later("{name} has a new password, and is signed out elsewhere."),
            str(word or ""),
        )

    @allow(Role.ADMIN)
    def shut_out(self, name: Any) -> list[Any]:
        """Out at once."""
        return self._done(lambda: access.disable_user(self.ws, str(name or "")), later("{name} is shut out."))

    @allow(Role.ADMIN)
    def let_in(self, name: Any) -> list[Any]:
        """In again."""
        return self._done(lambda: access.enable_user(self.ws, str(name or "")), later("{name} may sign in again."))

    @allow(Role.ADMIN)
    def remove(self, name: Any) -> list[Any]:
        """Out for good."""
        return self._done(lambda: access.remove_user(self.ws, str(name or "")), later("{name} is removed."))

    def _done(self, change: Any, became: str, word: str | None = None) -> list[Any]:
        """What was done, a password field emptied where there was one, and the users as they are now."""
        emptied = [] if word is None else [""]
        try:
            user: User = change()
        except NightshiftError as error:
            kept = [] if word is None else [gr.skip()]
            return [notice(say("Nothing was changed: {error}", error=error), "bad"), *kept, *self._users()]
        return [notice(say(became, name=user.name, role=user.role)), *emptied, *self._users()]

    def _whose(self) -> str | None:
        """Whose tokens are seen: None is everybody's."""
        who = acting()
        return None if who.role.reaches(Role.ADMIN) else who.name

    def _tokens(self) -> list[Any]:
        may = acting().grant is not None and acting().role.reaches(Role.OPERATOR)
        found = access.tokens(self.ws, self._whose()) if may else []
        choices = [(f"{each.name} · {each.user}", each.id) for each in found]
        return [gr.Column(visible=may), _tokens_table(found), gr.Dropdown(choices=choices, value=None)]

    def _users(self) -> list[Any]:
        may = acting().role.reaches(Role.ADMIN)
        return [gr.Column(visible=may), _users_table(access.users(self.ws)) if may else ""]


def _sign_out() -> str:
    return f'<form class="ns-out" method="post" action="/logout"><button>{say("Sign out")}</button></form>'


def _alone() -> str:
    open_to_all = say("Nobody signs in here: only this machine is served, and whoever is at it may do everything.")
    first = say("Add a first user, an admin, and everybody has to sign in from then on.")
    return f'<p>{open_to_all}</p><p class="ns-fine">{first}</p>'


def _roles() -> str:
    rows = "".join(f"<dt>{role.capitalize()}</dt><dd>{say(may)}</dd>" for role, may in MAY.items())
    return f"<details><summary>{say('What each role may do')}</summary><dl>{rows}</dl></details>"


def _role(name: Any) -> Role:
    """Raises NightshiftError for none."""
    if name not in list(Role):
        raise NightshiftError(f"{name!r} is no role; there are: {', '.join(Role)}")
    return Role(name)


def _tokens_table(found: list[Grant]) -> str:
    if not found:
        return nothing_yet(say("There are none."))
    rows = [
        (escape(each.name), escape(each.user), escape(", ".join(each.scopes)), moment(each.expires)) for each in found
    ]
    return table((say("Name"), say("Owner"), say("Scopes"), say("Valid until")), rows)


def _users_table(found: list[User]) -> str:
    if not found:
        return nothing_yet(say("There are none yet. The first has to be an admin."))
    rows = [
        (
            escape(each.name),
            badge(each.role, "now") if each.state == "active" else badge(say("shut out"), "bad"),
            moment(each.at),
        )
        for each in found
    ]
    return table((say("Name"), "", say("Since")), rows)
