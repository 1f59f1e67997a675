"""Real messages of containerd, kubelets and databases, and what the owner reads."""

import pytest

from workers import problems

PULL = 'failed to pull and unpack image "docker.io/a/b:1": failed to resolve '
NOT_PULLED = {
    'Back-off pulling image "a/b:1"': "no reason was given.",
    f'Back-off pulling image "a/b:1": ErrImagePull: {PULL}image: failed to do request: Head "https://r.example/v2/a/b"'
    ": dial tcp: lookup r.example on 10.0.0.1:53: dial udp: connect: network is unreachable":
        "the cluster can't reach the registry.",
    f'{PULL}reference "docker.io/a/b:1": docker.io/a/b:1: not found': "the registry doesn't have it.",
    f'{PULL}reference "docker.io/a/b:1": pull access denied, repository does not exist or may require authorization: '
    "server message: insufficient_scope: authorization failed": "the registry denied access.",
    f"{PULL}reference: unexpected status from HEAD request to https://r/v2/a/b/manifests/1: 401 Unauthorized":
        "the registry denied access.",
    f"{PULL}image: unexpected status: 429 Too Many Requests": "the registry's rate limit is exceeded.",
    'Failed to apply default image tag "a/B:1": couldn\'t parse image name "a/B:1": invalid reference format':
        "the image name is invalid.",
    "failed to extract layer: write /usr/lib: no space left on device": "the node has no space left for it.",
    'Container image "a/b:1" is not present with pull policy of Never':
        'Container image "a/b:1" is not present with pull policy of Never.',
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), NOT_PULLED.items())
def test_why_an_image_is_not_pulled(text: str, message: str) -> None:
    expected = f"The image a/b:1 of web can't be pulled: {message} Check that it exists and may be pulled, then retry."
    assert problems.image_not_pulled("web", "a/b:1", text).text() == expected


TEMPORARY_FILES = "its temporary files took more than {}."
EVICTED = {
    'Usage of EmptyDir volume "tmp" exceeds the limit "64Mi". ': TEMPORARY_FILES.format("64Mi"),
    "Pod ephemeral local storage usage exceeds the total limit of containers 128Mi. ": TEMPORARY_FILES.format("128Mi"),
    'Container web exceeded its local ephemeral storage limit "128Mi". ': TEMPORARY_FILES.format("128Mi"),
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 93516Ki. Container web was using 3Mi":
        "its node ran short of memory.",
    "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 900Mi. ":
        "its node ran short of ephemeral-storage.",
    "Preempted in order to admit critical pod": "Preempted in order to admit critical pod.",
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), EVICTED.items())
def test_why_a_pod_was_evicted(text: str, message: str) -> None:
    assert problems.pod_evicted("web", text).text() == f"The web pod was evicted: {message} A new pod replaces it."


STORE_QUOTA = (
    "exceeded quota: store, requested: limits.cpu=500m,pods=1, used: limits.cpu=1,pods=8, "
    "limited: limits.cpu=1400m,pods=8"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f'pods "web-1" is forbidden: {STORE_QUOTA}',
            "The web pod doesn't fit into the store's quota: 1 of 1400m limits.cpu in use, 500m more wanted; "
            "8 of 8 pods in use, 1 more wanted. Choose a larger plan, or tell the operator and retry.",
        ),
        (
            "exceeded quota: store, requested: a=1,b=2,c=3,d=4, used: a=1,b=1,c=1,d=1, limited: a=1,b=1,c=1,d=1",
            "The web pod doesn't fit into the store's quota: 1 of 1 a in use, 1 more wanted; "
            "1 of 1 b in use, 2 more wanted; and 2 more such limits. "
            "Choose a larger plan, or tell the operator and retry.",
        ),
        (
            "exceeded quota: store, requested: count/pods=1, used: 1, limited: 1",
            "The web pod doesn't fit into the store's quota: ? of ? count/pods in use, 1 more wanted. "
            "Choose a larger plan, or tell the operator and retry.",
        ),
        (
            'violates PodSecurity "restricted:v1.34"',
            'The web pod can\'t be created: violates PodSecurity "restricted:v1.34". '
            "Retry; if it happens again, tell the operator.",
        ),
    ],
)
def test_why_a_pod_is_not_made(text: str, message: str) -> None:
    assert problems.pod_not_created("web", text).text() == message


@pytest.mark.parametrize("also", ["", "no new claims to deallocate, "])
def test_what_the_scheduler_also_tried_is_left_out(also: str) -> None:
    short = "0/3 nodes are available: 3 Insufficient memory."
    text = f"{short} {also}preemption: 0/3 nodes are available: 3 No victims found."
    assert problems.unschedulable("web", text).text() == (
        "No node can take the web pod: 0/3 nodes are available: 3 Insufficient memory. "
        "Have the operator add room to the cluster, then retry."
    )


def test_an_unknown_provisioner_message_is_quoted() -> None:
    text = problems.volume_not_provisioned("database", "failed to provision volume: rpc error: out of capacity").text()
    assert text.startswith("The database pod has no disk: failed to provision volume: rpc error: out of capacity. ")


LOG = "2026-11-24 10:15:04 431 [ERROR] "


@pytest.mark.parametrize(
    "text",
    [
        f"{LOG}mariadbd: The table 'orders' is full\n{LOG}InnoDB: preallocating 131072 bytes failed with error 28\n",
        f"{LOG}InnoDB: Operating system error number 28 in a file operation.\n{LOG}Aborting\n",
        f"{LOG}mariadbd: Disk is full writing './a.MYD' (Errcode: 28). Waiting for someone to free some space...",
        "tar: ./ibdata1: Wrote only 4096 of 10240 bytes: No space left on device",
        "Startup probe failed: the disk is full\n",
        '2026-11-29 21:24:28 UTC [1] PANIC:  could not write to file "pg_wal/xlogtemp.1": No space left on device\n',
        '2026-11-29 21:24:28 UTC [7] FATAL:  could not write lock file "postmaster.pid": No space left on device\n',
    ],
)
def test_a_full_disk_is_recognized(text: str) -> None:
    assert problems.mentions_full_disk(text)
    message = problems.container_crashes("database", {"exitCode": 1, "message": text}).text()
    assert message == "The disk of database is full. Choose a larger plan, or have the operator free space and retry."


HEAP = (
    "<--- Last few GCs --->\n\n[1:0x7f3c]  4023 ms: Mark-Compact 38.8 (41.2) -> 38.1 (41.7) MB, pooled: 0 MB\n"
    "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n"
    "----- Native stack trace -----\n\n10: 0x195e476  [node]\n"
)


@pytest.mark.parametrize(
    "terminated",
    [
        {"exitCode": 137, "reason": "OOMKilled"},
        {"exitCode": 134, "reason": "Error", "message": HEAP},
        {"exitCode": 134, "reason": "Error"},  # the output of a server is never quoted
    ],
)
def test_want_of_memory_is_recognized(terminated: dict[str, object]) -> None:
    cause = f"The web container keeps running out of memory (exit code {terminated['exitCode']})."
    assert problems.container_crashes("web", terminated).text() == (
        f"{cause} Choose a larger plan, or tell the operator and retry."
    )


@pytest.mark.parametrize(
    ("message", "last"),
    [
        (
            "A disk of the store is full: choose a larger plan, or have the operator free space.",
            "A disk of the store is full: choose a larger plan, or have the operator free space.",
        ),
        ("mysqld got signal 6 ;\nAborted.", "Aborted."),
    ],
)
def test_another_end_is_quoted(message: str, last: str) -> None:
    text = problems.container_crashes("web", {"exitCode": 134, "message": message}).text()
    assert text == f"The web container keeps crashing (exit code 134). {last} See its logs, then retry."


READY, LARGEST = problems.Remedies(retry=False), problems.Remedies(larger_plan=False)
READY_AND_LARGEST = problems.Remedies(retry=False, larger_plan=False)


@pytest.mark.parametrize(
    ("problem", "remedies", "advice"),
    [
        (problems.disk_full("web"), READY, "Choose a larger plan, or have the operator free space."),
        (problems.disk_full("web"), LARGEST, "Have the operator free space, then retry."),
        (problems.disk_full("web"), READY_AND_LARGEST, "Have the operator free space."),
        (problems.unschedulable("web", "No room."), READY, "Have the operator add room to the cluster."),
        (problems.container_not_started("web", "No."), LARGEST, "Retry; if it happens again, tell the operator."),
        (problems.container_not_started("web", "No."), READY, "Tell the operator."),
        (problems.pod_evicted("web", "Gone."), LARGEST, "A new pod replaces it."),
    ],
)
def test_only_possible_remedies_are_suggested(
    problem: problems.Problem, remedies: problems.Remedies, advice: str
) -> None:
    """A READY store can't be retried, and no plan is larger than the largest."""
    cause, text = problem.cause.removesuffix(f" {advice}"), problem.text(remedies)
    assert text == f"{cause} {advice}"


@pytest.mark.parametrize("text", ["", "128 errors in 2800 rows", "error 280", "the disk is fuller than before"])
def test_other_problems_are_no_full_disk(text: str) -> None:
    assert not problems.mentions_full_disk(text)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("one\ntwo\n\n", "two."),
        (f"{LOG}Can't open the table\n{LOG}Aborting\n", f"{LOG}Can't open the table."),
        ("Can't open the table\nmariadbd: Shutdown complete\n", "Can't open the table."),
        ("Aborting\n", "Aborting."),
        ("\n \n", ""),
    ],
)
def test_the_last_log_line_says_why(text: str, last: str) -> None:
    assert problems.last_log_line(text) == last
