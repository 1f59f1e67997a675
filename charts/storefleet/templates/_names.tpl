{{/* Names and labels. A component is `api`, `worker`, `migration`, `postgres`, `valkey` or `smoke-test`. */}}

{{- define "storefleet.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The prefix of all names: 40 characters, so that the name of every object, and of a Job's pods, has room. */}}
{{- define "storefleet.fullname" -}}
{{- $name := include "storefleet.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The labels of selectors, which can never change. Takes (list $ component). */}}
{{- define "storefleet.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "storefleet.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Takes (list $ component). */}}
{{- define "storefleet.labels" -}}
{{- $root := index . 0 -}}
{{- include "storefleet.selector" . }}
app.kubernetes.io/part-of: storefleet
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Of pods: without versions, so that an upgrade of the chart alone restarts no pod. Takes (list $ component more). */}}
{{- define "storefleet.podLabels" -}}
{{- $root := index . 0 -}}
{{- include "storefleet.selector" . }}
app.kubernetes.io/part-of: storefleet
{{- range list $root.Values.commonLabels (index . 2) }}
{{- with . }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Takes (list $ component suffix). */}}
{{- define "storefleet.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "storefleet.fullname" $root }}-{{ index . 2 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "storefleet.labels" . | nindent 2 }}
{{- end -}}

{{/* The same for an object of the whole cluster. Takes (list $ component suffix). */}}
{{- define "storefleet.clusterMetadata" -}}
name: {{ include "storefleet.fullname" (index . 0) }}-{{ index . 2 }}
labels:
  {{- include "storefleet.labels" . | nindent 2 }}
{{- end -}}

{{- define "storefleet.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{/* The host of the dashboard. */}}
{{- define "storefleet.dashboardHost" -}}
{{- (urlParse .Values.settings.publicUrl).hostname -}}
{{- end -}}

{{- define "storefleet.priorityClassName" -}}
{{- if .Values.priorityClass.create -}}
{{ include "storefleet.fullname" . }}-platform
{{- else -}}
{{ .Values.priorityClass.name }}
{{- end -}}
{{- end -}}
