{{/*
How many pods a workload of a cell is rendered with: dict root, fullname, kind, values. Empty: the field is left out, as an autoscaler
owns it. Helm would have a field that was there and is no more set to 1, so what the cluster has is said again at each upgrade;
and whoever turns the autoscaler off keeps its number in that upgrade. Without a cluster (helm template) there is nothing to look up.
*/}}
{{- define "sidestream.replicas" -}}
{{- $namespace := .root.Release.Namespace -}}
{{- $live := lookup "apps/v1" .kind $namespace .fullname -}}
{{- if .values.autoscaling.enabled -}}
{{- with $live }}{{ int .spec.replicas }}{{ end -}}
{{- else if and $live (lookup "autoscaling/v2" "HorizontalPodAutoscaler" $namespace .fullname) -}}
{{- int $live.spec.replicas -}}
{{- else -}}
{{- int .values.replicas -}}
{{- end -}}
{{- end -}}

{{/* The most pods that a workload of a cell may have: dict values, replicas (as rendered). */}}
{{- define "sidestream.mostReplicas" -}}
{{- ternary (int .values.autoscaling.maxReplicas) (int .replicas) .values.autoscaling.enabled -}}
{{- end -}}

{{/* One pod in ten minutes: each drains for long. */}}
{{- define "sidestream.scaleBehavior" -}}
scaleDown:
  stabilizationWindowSeconds: 600
  policies: [{ type: Pods, value: 1, periodSeconds: 600 }]
{{- end -}}

{{/* What makes more pods with more calls: Kubernetes' own autoscaler, or KEDA's, which makes one of the same name. */}}
{{- define "sidestream.autoscaler" -}}
{{- $scaling := .values.autoscaling }}
{{- if $scaling.enabled }}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) }}
{{- fail (printf "regions.%s: %s.autoscaling.minReplicas must not be above maxReplicas" .region .key) }}
{{- end }}
---
{{- if eq $scaling.by "keda" }}
{{- $keda := .root.Values.keda }}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ .fullname | quote }}
  labels:
    {{- include "sidestream.labels" . | nindent 4 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: {{ .kind }}, name: {{ .fullname | quote }} }
  pollingInterval: {{ $keda.pollingInterval }}
  minReplicaCount: {{ $scaling.minReplicas }}
  maxReplicaCount: {{ $scaling.maxReplicas }}
  advanced:
    horizontalPodAutoscalerConfig:
      name: {{ .fullname | quote }}
      behavior:
        {{- include "sidestream.scaleBehavior" . | nindent 8 }}
  triggers:
    - type: prometheus
      metricType: AverageValue
      {{- with $keda.authentication.name }}
      authenticationRef: { name: {{ . | quote }}, kind: {{ $keda.authentication.kind }} }
      {{- end }}
      metadata:
        {{- with $keda.metadata }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        serverAddress: {{ required "keda.serverAddress is needed: the Prometheus that KEDA asks" $keda.serverAddress | quote }}
        query: {{ include "sidestream.activeQuery" . | quote }}
        threshold: {{ $scaling.averageValue | quote }}
        # Prometheus without a number is an error, and leaves the pods as they are; taken for 0 it would end them.
        ignoreNullValues: "false"
{{- else }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .fullname | quote }}
  labels:
    {{- include "sidestream.labels" . | nindent 4 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: {{ .kind }}, name: {{ .fullname | quote }} }
  minReplicas: {{ $scaling.minReplicas }}
  maxReplicas: {{ $scaling.maxReplicas }}
  metrics:
    # Of pods: those that end don't count, as they would in an external metric.
    - type: Pods
      pods:
        metric: { name: {{ .metric }} }
        target: { type: AverageValue, averageValue: {{ $scaling.averageValue | quote }} }
  behavior:
    {{- include "sidestream.scaleBehavior" . | nindent 4 }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
PromQL: what the pods of this workload have to do that take new calls; those that drain are leaving. Pods are known by their names, in
which Kubernetes writes no vowel after the workload's.
*/}}
{{- define "sidestream.activeQuery" -}}
{{- $random := "[bcdfghjklmnpqrstvwxz2456789]+" -}}
{{- $suffix := ternary "[0-9]+" (printf "%s-%s" $random $random) (eq .kind "StatefulSet") -}}
{{- $pods := printf "namespace=%q,pod=~\"%s-%s\"" .root.Release.Namespace .fullname $suffix -}}
sum({{ .metric }}{ {{- $pods -}} } and on (namespace, pod) sidestream_draining{ {{- $pods -}} } == 0)
{{- end -}}
