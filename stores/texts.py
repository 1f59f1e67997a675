"""The English texts about a store for its owner, by code: titles of steps, causes, remedies, events.

The database, the API and webhooks have the English text. The dashboard finds the code of a text again, and shows its
German text (frontend/src/shared/i18n/apiText.ts).

A value of the same name as a group may itself be a text of this group: `{reason}`, `{remedy}`, `{title}`, `{usage}`.
"""

TEXTS = {
    # titles of the platform's steps; each engine has titles of its own
    "title.credentials": "Making and sealing credentials",
    "title.namespace": "Making a namespace of its own",
    "title.isolation": "Isolating and limiting it",
    "title.proof": "A synthetic shopper buys something",
    # events
    "event.requested": "{name} was requested.",
    "event.adopted": "{name} was taken back from the cluster.",
    "event.setting_up": "Setting up the store.",
    "event.step_started": "{title}.",
    "event.step_done": "Step {number} of {total} done in {seconds} s: {title}.",
    "event.retrying": "Trying again.",
    "event.ready": "READY: proven by a purchase in {ms} ms.",
    "event.ready_simulated": "READY: proven by a simulated purchase in {ms} ms.",
    "event.healthy": "The store is healthy again.",
    "event.updating": "Updating the store.",
    "event.changing_plan": "Changing the plan to {plan}.",
    "event.suspending": "Suspending the store.",
    "event.suspending_account": "The account is suspended: suspending the store.",
    "event.suspended": "Suspended: nothing runs, and all data is kept.",
    "event.resuming": "Resuming the store.",
    "event.deleting": "Deleting the store.",
    "event.deleted": "Deleted: the namespace and its volumes are gone.",
    "event.deleted_with_leftovers": "Deleted, but the cluster kept the volumes {volumes}. Tell the operator.",
    "event.changing_password": "The owner's password is being changed.",
    "event.password_changed": "The owner's password was changed.",
    "event.password_not_changed": "The owner's password could not be changed: {reason} Ask for it again.",
    "event.object_removed": "Somebody removed the {kind} {name} in the cluster; it was restored.",
    "event.object_changed": "Somebody changed the {kind} {name} in the cluster; it was restored.",
    "event.namespace_removed": "Somebody removed the namespace; the store is created again.",
    "event.namespace_restored": ("The namespace was restored from a backup. Everything is applied and verified again."),
    "event.cluster_errors": "The cluster doesn't answer as it should. We keep trying.",
    # causes: a store is FAILED, isn't healthy, or waits
    "cause.step_failed": 'The step "{title}" failed: {reason}',
    "cause.step_timeout": "The step took longer than {seconds} s. Retry, or see its pods.",
    "cause.unschedulable": "No node can take the {component} pod: {reason}",
    "cause.no_disk": "The {component} pod has no disk: {reason}",
    "cause.disk_full": "The disk of {component} is full.",
    "cause.image_not_pulled": "The image {image} of {component} can't be pulled: {reason}",
    "cause.container_not_started": "The {component} container can't be started: {reason}",
    "cause.pod_not_created": "The {component} pod can't be created: {reason}",
    "cause.store_quota_exceeded": "The {component} pod doesn't fit into the store's quota: {usage}.",
    "cause.quota_exceeded": "The {component} pod doesn't fit into the quota {name} of its namespace: {usage}.",
    "cause.pod_evicted": "The {component} pod was evicted: {reason} A new pod replaces it.",
    "cause.container_ended": "The {component} container ended (exit code {code}).",
    "cause.container_ended_with": "The {component} container ended (exit code {code}). {output}",
    "cause.container_crashes": "The {component} container keeps crashing (exit code {code}).",
    "cause.container_crashes_with": "The {component} container keeps crashing (exit code {code}). {output}",
    "cause.out_of_memory": "The {component} container ran out of memory (exit code {code}).",
    "cause.out_of_memory_again": "The {component} container keeps running out of memory (exit code {code}).",
    "cause.no_pod_ready": "No {component} pod is ready. It usually comes back by itself.",
    "cause.not_all_pods_ready": "Not all {component} pods are ready.",
    "cause.pods_not_stopped": "These pods have not stopped yet: {components}.",
    "cause.namespace_gone": (
        "The namespace {name} was removed from the cluster, and the store's data with it. "
        "Restore a backup, or delete the store."
    ),
    "cause.disk_gone": (
        "The disk {name} was removed from the cluster, and its data with it. Restore a backup, or delete the store."
    ),
    "cause.disk_deleted": (
        "Somebody deleted the disk {name}: it and its data go when its pod ends. Make a backup now."
    ),
    "cause.disk_not_expandable": "The disk {name} can't grow: the storage class {class_name} doesn't allow expansion.",
    "cause.namespace_deleting": "The namespace {name} is being deleted by somebody else.",
    "cause.namespace_label_changed": "The label {key} of the namespace {name} was changed by somebody else.",
    "cause.namespace_annotation_changed": "The annotation {key} of the namespace {name} was changed by somebody else.",
    "cause.namespace_not_ours": "The namespace {name} isn't ours: its label {label} was changed. Set it back.",
    "cause.namespace_not_removed": (
        "The namespace can't be removed: {reason}. The deletion continues by itself when that is resolved."
    ),
    "cause.cluster_refused": "The cluster refused: {reason}",
    "cause.secrets_not_opened": "The store's secrets can't be opened: {reason}.",
    # reasons
    "reason.none_given": "no reason was given.",
    "reason.none_from_job": "its Job gave no reason.",
    "reason.none_from_kubernetes": "Kubernetes gives no reason",
    "reason.no_receipt": "It ended well but left no receipt.",
    "reason.no_disk": "the cluster doesn't provide it.",
    "reason.no_storage_class": "the cluster has no storage class {name}.",
    "reason.image_name": "the image name is invalid.",
    "reason.image_rate_limit": "the registry's rate limit is exceeded.",
    "reason.image_denied": "the registry denied access.",
    "reason.image_not_found": "the registry doesn't have it.",
    "reason.image_no_space": "the node has no space left for it.",
    "reason.image_unreachable": "the cluster can't reach the registry.",
    "reason.temporary_files": "its temporary files took more than {limit}.",
    "reason.node_short": "its node ran short of {resource}.",
    # what a quota is used for
    "usage.one": "{used} of {limit} {resource} in use, {more} more wanted",
    "usage.two": "{usage1}; {usage2}",
    "usage.more": "{usage1}; {usage2}; and {count} more such limits",
    # what the owner can do, and how it is said after a cause
    "remedy.add_room": "have the operator add room to the cluster",
    "remedy.check_storage_class": "have the operator check the storage class",
    "remedy.free_space": "have the operator free space",
    "remedy.check_image": "check that it exists and may be pulled",
    "remedy.raise_quota": "have the operator raise that",
    "remedy.allow_expansion": "go back to the plan before, or have the operator set allowVolumeExpansion",
    "remedy.set_value": "set it to {key}={value}",
    "remedy.see_logs": "see its logs",
    "remedy.tell_operator": "tell the operator",
    "remedy.tell_operator_doctor": "tell the operator (storefleet doctor)",
    "advice.only": "{remedy}.",
    "advice.then_retry": "{remedy}, then retry.",
    "advice.retry_first": "Retry; if it happens again, {remedy}.",
    "advice.larger_plan": "Choose a larger plan, or {remedy}.",
    "advice.larger_plan_then_retry": "Choose a larger plan, or {remedy} and retry.",
}


def text(code: str, /, **values: object) -> str:
    """The text with its values filled in. Raises KeyError for an unknown code or a missing value."""
    return TEXTS[code].format_map(values)
