{{/* Not empty where a pod says what its end costs: only ReplicaSets ask, a StatefulSet ends the highest number. */}}
{{- define "sidestream.tellsCost" -}}
{{- if and .root.Values.deletionCost.enabled .region (eq .kind "Deployment") }}yes{{ end -}}
{{- end -}}

{{/* The one token of a pod, for its service alone: renewed every hour, good for what the Role allows. */}}
{{- define "sidestream.costVolume" -}}
{{- if include "sidestream.tellsCost" . }}
- name: pod
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: { path: token, expirationSeconds: 3600 }
      - configMap: { name: kube-root-ca.crt, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
{{- end -}}

{{/* Annotations (and labels, finalizers) can be written by way of a pod's status, without the right to change what it runs. A Role can't name pods to come. */}}
{{- define "sidestream.costRole" -}}
{{- if include "sidestream.tellsCost" . }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ .fullname | quote }}
  labels:
    {{- include "sidestream.labels" . | nindent 4 }}
rules:
  - { apiGroups: [""], resources: [pods/status], verbs: [patch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .fullname | quote }}
  labels:
    {{- include "sidestream.labels" . | nindent 4 }}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .fullname | quote }} }
subjects: [{ kind: ServiceAccount, name: {{ .fullname | quote }}, namespace: {{ .root.Release.Namespace | quote }} }]
{{- end }}
{{- end -}}
