{{/* What goes with each workload: its account, its configuration, its budget. */}}
{{- define "sidestream.companions" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .fullname | quote }}
  labels:
    {{- include "sidestream.labels" . | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .fullname | quote }}
  labels:
    {{- include "sidestream.labels" . | nindent 4 }}
data:
  sidestream.yaml: |
    {{- include "sidestream.config" . | nindent 4 }}
  {{- with .values.nodeAddresses }}
  # Read when a pod starts, and no part of the checksum: a new node ends no calls on others.
  node-addresses.yaml: |
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- if and .root.Values.podDisruptionBudget.enabled (gt (int .most) 1) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .fullname | quote }}
  labels:
    {{- include "sidestream.labels" . | nindent 4 }}
spec:
  # Of a workload of one pod there is none, and one that isn't ready stops no node's drain: it drains like any other.
  unhealthyPodEvictionPolicy: AlwaysAllow
  maxUnavailable: {{ .root.Values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "sidestream.selectorLabels" . | nindent 6 }}
{{- end }}
{{- if eq .root.Values.tls.mode "certManager" }}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: {{ .fullname | quote }}
  labels:
    {{- include "sidestream.labels" . | nindent 4 }}
spec:
  secretName: {{ include "sidestream.tlsSecret" . | quote }}
  commonName: {{ .component }}
  dnsNames: [{{ .root.Values.tls.serverName | quote }}, {{ printf "%s.%s" .component .root.Values.tls.serverName | quote }}]
  duration: {{ .root.Values.tls.duration }}
  usages: [digital signature, server auth, client auth]
  privateKey: { algorithm: ECDSA, size: 256, rotationPolicy: Always }
  issuerRef:
    name: {{ required "tls.issuer.name is needed in mode certManager" .root.Values.tls.issuer.name | quote }}
    kind: {{ .root.Values.tls.issuer.kind }}
    group: {{ .root.Values.tls.issuer.group }}
{{- end }}
{{- if .region }}
{{- include "sidestream.costRole" . }}
{{- include "sidestream.autoscaler" . }}
{{- end }}
{{- if .root.Values.networkPolicy.enabled }}
{{- include "sidestream.networkPolicy" . }}
{{- end }}
{{- end -}}
