"""Namespaces, groups and users: what a permission can name. They live in the account's identity region.

There is one namespace, `default`, and nobody in it until a request makes somebody.
"""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from local.emulator.environment import REGION
from local.emulator.listing import Listing
from local.emulator.quicksight.errors import AlreadyExists, InvalidNextToken, InvalidParameter, NotFound
from local.emulator.quicksight.names import NAMESPACE, arn

NAMESPACES = Listing("Namespaces", "Name", descending=False, created="Name", invalid_token=InvalidNextToken)
GROUPS = Listing("GroupList", "GroupName", descending=False, created="GroupName", invalid_token=InvalidNextToken)
MEMBERS = Listing(
    "GroupMemberList", "MemberName", descending=False, created="MemberName", invalid_token=InvalidNextToken
)
USERS = Listing("UserList", "UserName", descending=False, created="UserName", invalid_token=InvalidNextToken)
Operation = Callable[[dict[str, Any]], dict[str, Any]]


class Identities:
    """Everybody whom a permission can name."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[str, Any]] = {}
        self._users: dict[str, dict[str, Any]] = {}
        # Group -> names of users.
        self._members: dict[str, set[str]] = {}

    def operations(self) -> dict[str, Operation]:
        return {
            "DescribeNamespace": self._describe_namespace,
            "ListNamespaces": lambda request: NAMESPACES.page([_namespace()], request),
            "CreateGroup": self._create_group,
            "DescribeGroup": lambda request: {"Group": self._group(request)},
            "UpdateGroup": self._update_group,
            "DeleteGroup": self._delete_group,
            "ListGroups": lambda request: GROUPS.page(_within(request, self._groups.values()), request),
            "CreateGroupMembership": self._create_membership,
            "DescribeGroupMembership": lambda request: {"GroupMember": self._member(request)},
            "DeleteGroupMembership": self._delete_membership,
            "ListGroupMemberships": self._list_memberships,
            "ListUserGroups": self._list_user_groups,
            "RegisterUser": self._register_user,
            "DescribeUser": lambda request: {"User": self._user(request)},
            "ListUsers": lambda request: USERS.page(_within(request, self._users.values()), request),
            "DeleteUser": self._delete_user,
        }

    def is_group_or_user(self, principal: str) -> bool:
        """Whether an ARN names a group or a user that exists."""
        return any(item["Arn"] == principal for item in (*self._groups.values(), *self._users.values()))

    def _describe_namespace(self, request: dict[str, Any]) -> dict[str, Any]:
        _check_namespace(request)
        return {"Namespace": _namespace()}

    def _create_group(self, request: dict[str, Any]) -> dict[str, Any]:
        _check_namespace(request)
        name = request["GroupName"]
        if name in self._groups:
            raise AlreadyExists(f"Group {name} already exists")
        self._groups[name] = {
            **_only(request, "GroupName", "Description"),
            "Arn": arn("group", NAMESPACE, name),
            "PrincipalId": f"group/{uuid.uuid4()}",
        }
        self._members[name] = set()
        return {"Group": self._groups[name]}

    def _update_group(self, request: dict[str, Any]) -> dict[str, Any]:
        group = self._group(request)
        group.update(_only(request, "Description"))
        return {"Group": group}

    def _delete_group(self, request: dict[str, Any]) -> dict[str, Any]:
        name = self._group(request)["GroupName"]
        del self._groups[name], self._members[name]
        return {}

    def _group(self, request: dict[str, Any]) -> dict[str, Any]:
        _check_namespace(request)
        name = request["GroupName"]
        if name not in self._groups:
            raise NotFound(f"Group {name} is not found in namespace {NAMESPACE}")
        return self._groups[name]

    def _create_membership(self, request: dict[str, Any]) -> dict[str, Any]:
        group = self._group(request)["GroupName"]
        self._user({**request, "UserName": request["MemberName"]})
        self._members[group].add(request["MemberName"])
        return {"GroupMember": self._member(request)}

    def _member(self, request: dict[str, Any]) -> dict[str, Any]:
        group, name = self._group(request)["GroupName"], request["MemberName"]
        if name not in self._members[group]:
            raise NotFound(f"User {name} is not a member of group {group}")
        return {"Arn": self._users[name]["Arn"], "MemberName": name}

    def _delete_membership(self, request: dict[str, Any]) -> dict[str, Any]:
        member = self._member(request)
        self._members[request["GroupName"]].remove(member["MemberName"])
        return {}

    def _list_memberships(self, request: dict[str, Any]) -> dict[str, Any]:
        names = self._members[self._group(request)["GroupName"]]
        return MEMBERS.page([self._member({**request, "MemberName": name}) for name in names], request)

    def _list_user_groups(self, request: dict[str, Any]) -> dict[str, Any]:
        name = self._user(request)["UserName"]
        return GROUPS.page([self._groups[group] for group, names in self._members.items() if name in names], request)

    def _register_user(self, request: dict[str, Any]) -> dict[str, Any]:
        _check_namespace(request)
        name = _user_name(request)
        if name in self._users:
            raise AlreadyExists(f"User {name} already exists")
        self._users[name] = {
            "UserName": name,
            "Arn": arn("user", NAMESPACE, name),
            "Email": request["Email"],
            "Role": request["UserRole"],
            "IdentityType": request["IdentityType"],
            "Active": request["IdentityType"] == "IAM",
            "PrincipalId": f"federated/iam/{uuid.uuid4()}" if request["IdentityType"] == "IAM" else f"user/{name}",
        }
        return {"User": self._users[name]}

    def _delete_user(self, request: dict[str, Any]) -> dict[str, Any]:
        name = self._user(request)["UserName"]
        del self._users[name]
        for names in self._members.values():
            names.discard(name)
        return {}

    def _user(self, request: dict[str, Any]) -> dict[str, Any]:
        _check_namespace(request)
        name = request["UserName"]
        if name not in self._users:
            raise NotFound(f"User {name} is not found in namespace {NAMESPACE}")
        return self._users[name]


def _namespace() -> dict[str, Any]:
    return {
        "Name": NAMESPACE,
        "Arn": arn("namespace", NAMESPACE),
        "CapacityRegion": REGION,
        "CreationStatus": "CREATED",
        "IdentityStore": "QUICKSIGHT",
    }


def _check_namespace(request: dict[str, Any]) -> None:
    if request["Namespace"] != NAMESPACE:
        raise NotFound(f"Namespace {request['Namespace']} is not found; the local AWS has {NAMESPACE} only")


def _within(request: dict[str, Any], items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    _check_namespace(request)
    return list(items)


def _user_name(request: dict[str, Any]) -> str:
    """`UserName`, or what QuickSight makes of an IAM role and its session: `role/session`."""
    if request["IdentityType"] == "QUICKSIGHT":
        if "UserName" not in request:
            raise InvalidParameter("UserName is required for a user of identity type QUICKSIGHT")
        return str(request["UserName"])
    if request["IdentityType"] != "IAM" or "IamArn" not in request:
        raise InvalidParameter("IamArn is required; the local AWS offers the identity types IAM and QUICKSIGHT")
    name = str(request["IamArn"]).rpartition("/")[2]
    return f"{name}/{request['SessionName']}" if "SessionName" in request else name


def _only(request: dict[str, Any], *members: str) -> dict[str, Any]:
    return {member: request[member] for member in members if member in request}
