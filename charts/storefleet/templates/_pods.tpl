{{/* Parts of pods. */}}

{{/* The settings as environment variables: a map of name to text. */}}
{{- define "storefleet.environment" -}}
STOREFLEET_HOST: 0.0.0.0
STOREFLEET_PORT: "8000"
STOREFLEET_METRICS_PORT: {{ .Values.metrics.port | toJson | quote }}
STOREFLEET_WORKER_SERVICE_ACCOUNT: {{ .Release.Namespace }}/{{ include "storefleet.fullname" . }}-worker
STOREFLEET_MANAGER_ROLE: {{ .Values.worker.managerRole }}
STOREFLEET_ADMISSION_POLICY: {{ .Values.admissionPolicy.name }}
{{- range $name, $value := .Values.settings }}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
STOREFLEET_{{ $name | snakecase | upper }}: {{ if kindIs "slice" $value }}{{ join "," $value | quote }}{{ else if kindIs "string" $value }}{{ quote $value }}{{ else }}{{ toJson $value | quote }}{{ end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* One variable from a Secret of the values' section, or from the Secret of the release. Takes (list $ variable section key). */}}
{{- define "storefleet.secretVariable" -}}
{{- $root := index . 0 -}}
{{- $section := index . 2 -}}
{{- $existing := (index $root.Values $section).existingSecret.name -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ $existing | default (printf "%s-%s" (include "storefleet.fullname" $root) $section) }}
      key: {{ index . 3 }}
{{- end -}}

{{/* Not empty: API and workers have roles of their own in the database. */}}
{{- define "storefleet.databaseRoles" -}}
{{- with .Values.database -}}
{{- if or .bundled.enabled .api.url .api.existingSecret.name -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* The URLs of a component's role: migrations and backups use that which owns the tables. Takes (list $ component). */}}
{{- define "storefleet.databaseVariables" -}}
{{- $root := index . 0 -}}
{{- $roles := dict "api" "api" "smoke-test" "api" "worker" "worker" -}}
{{- $role := ternary (get $roles (index . 1)) "" (not (not (include "storefleet.databaseRoles" $root))) -}}
{{- include "storefleet.databaseVariable" (list $root "STOREFLEET_DATABASE_URL" $role "uri") }}
{{- with ternary (get $root.Values.database $role) $root.Values.database (not (not $role)) }}
{{- if or .existingSecret.listenKey .listenUrl }}
{{ include "storefleet.databaseVariable" (list $root "STOREFLEET_DATABASE_LISTEN_URL" $role "listen-uri") }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Takes (list $ variable role kind). The role: `api`, `worker`, or empty; the kind: `uri` or `listen-uri`. */}}
{{- define "storefleet.databaseVariable" -}}
{{- $root := index . 0 -}}
{{- $role := index . 2 -}}
{{- $kind := index . 3 -}}
{{- $existing := (ternary (get $root.Values.database $role) $root.Values.database (not (not $role))).existingSecret -}}
{{- $default := ternary (printf "%s-%s" $role $kind) $kind (not (not $role)) -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ $existing.name | default (printf "%s-database%s" (include "storefleet.fullname" $root) (ternary "-roles" "" (not (not $role)))) }}
      key: {{ get $existing (ternary "key" "listenKey" (eq $kind "uri")) | default $default }}
{{- end -}}

{{/* Environment of a container of the platform's image. Takes (list $ component extraEnv). */}}
{{- define "storefleet.env" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- with $root.Values -}}
envFrom:
  - configMapRef:
      name: {{ include "storefleet.fullname" $root }}-settings
  {{- with .extraEnvFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  {{- include "storefleet.databaseVariables" (list $root $component) | nindent 2 }}
  {{- if and (eq $component "migration") (include "storefleet.databaseRoles" $root) }}
  {{- include "storefleet.databaseVariable" (list $root "STOREFLEET_API_DATABASE_URL" "api" "uri") | nindent 2 }}
  {{- include "storefleet.databaseVariable" (list $root "STOREFLEET_WORKER_DATABASE_URL" "worker" "uri") | nindent 2 }}
  {{- end }}
  {{- include "storefleet.secretVariable" (list $root "STOREFLEET_REDIS_URL" "redis" .redis.existingSecret.key) | nindent 2 }}
  {{- $keys := .keys.existingSecret | default (printf "%s-keys" (include "storefleet.fullname" $root)) }}
  - name: STOREFLEET_ADMIN_KEYS
    valueFrom:
      secretKeyRef:
        name: {{ $keys }}
        key: admin-keys
  {{- if eq $component "worker" }}
  - name: STOREFLEET_WORKER_KEYS
    valueFrom:
      secretKeyRef:
        name: {{ $keys }}
        key: worker-keys
  {{- end }}
  {{- if and (or .smtp.url .smtp.existingSecret.name) (has $component (list "api" "worker")) }}
  {{- include "storefleet.secretVariable" (list $root "STOREFLEET_SMTP_URL" "smtp" .smtp.existingSecret.key) | nindent 2 }}
  {{- end }}
  {{- if and (or .oidc.clientSecret .oidc.existingSecret.name) (eq $component "api") }}
  {{- include "storefleet.secretVariable" (list $root "STOREFLEET_OIDC_CLIENT_SECRET" "oidc" .oidc.existingSecret.key) | nindent 2 }}
  {{- end }}
  {{- if eq $component "api" }}
  - name: STOREFLEET_DRAIN_SECONDS
    value: {{ .api.drainSeconds | toJson | quote }}
  {{- end }}
  {{- range list .extraEnv (index $ 2) }}
  {{- with . }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A container of the platform's image, but its arguments, ports and probes. Takes (list $ component extraEnv resources). */}}
{{- define "storefleet.container" -}}
{{- $root := index . 0 -}}
image: {{ include "storefleet.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
{{ include "storefleet.env" . }}
securityContext:
  {{- include "storefleet.containerSecurity" $root | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
resources:
  {{- toYaml (index . 3) | nindent 2 }}
{{- with $root.Values.extraVolumeMounts }}
volumeMounts:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A pod of the platform's image, but its account and containers. Takes (list $). */}}
{{- define "storefleet.pod" -}}
{{- $root := index . 0 -}}
enableServiceLinks: false
{{- with include "storefleet.priorityClassName" $root }}
priorityClassName: {{ . }}
{{- end }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "storefleet.podSecurity" $root | nindent 2 }}
{{- with $root.Values.extraVolumes }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The user is the image's, by number; OpenShift gives another. */}}
{{- define "storefleet.podSecurity" -}}
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "storefleet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Which nodes run the pods of a Deployment. Takes (list $ component values). */}}
{{- define "storefleet.placement" -}}
{{- $selector := include "storefleet.selector" . -}}
{{- with index . 2 -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- if .topologySpreadConstraints }}
  {{- toYaml .topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- $selector | nindent 8 }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Changes when settings or Secrets from values change, so that pods restart. */}}
{{- define "storefleet.checksum" -}}
{{- with .Values -}}
{{- list (include "storefleet.environment" $) .database.url .database.listenUrl .database.api .database.worker .redis.url .smtp.url .oidc.clientSecret | toJson | sha256sum -}}
{{- end -}}
{{- end -}}
