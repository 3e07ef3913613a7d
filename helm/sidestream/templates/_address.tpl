{{/*
Where the address comes from that peers are told, as arguments of edge-config and media-config: a workload's context. Which of several
counts is these commands' own order.
*/}}
{{- define "sidestream.addressArgs" -}}
{{- $from := .values.advertiseFrom -}}
{{- if and (ne .values.network "host") (or .values.nodeAddresses $from.dns $from.metadata) -}}
{{- fail (printf "regions.%s: %s.nodeAddresses and advertiseFrom are of network host: only there a pod's address is its node's" .region .key) -}}
{{- end -}}
- --bind=$(POD_IP)
- --node=$(NODE_NAME)
{{- if .values.nodeAddresses }}
- --node-addresses=/etc/sidestream/node-addresses.yaml
{{- end }}
{{- with $from.dns }}
- --advertise-dns={{ . }}
{{- end }}
{{- with $from.metadata }}
- --advertise-metadata={{ . }}
{{- end }}
{{- if not (has .values.advertise (list "" "pod")) }}
- --advertise={{ .values.advertise }}
{{- end }}
{{- end -}}

{{- define "sidestream.addressEnv" -}}
- { name: POD_IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }
- { name: NODE_NAME, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
{{- end -}}

{{- define "sidestream.addressMounts" -}}
{{- if .values.nodeAddresses -}}
- { name: config, mountPath: /etc/sidestream/node-addresses.yaml, subPath: node-addresses.yaml, readOnly: true }
{{- end -}}
{{- end -}}

{{/* The same in words, for the notes: values of a cell's signalling or media-relay. */}}
{{- define "sidestream.addressTold" -}}
{{- if .addresses -}}{{ join ", " .addresses }}, one for each pod
{{- else if .nodeAddresses -}}the node's in nodeAddresses
{{- else if .advertiseFrom.dns -}}what DNS has for {{ .advertiseFrom.dns }}
{{- else if .advertiseFrom.metadata -}}the node's in the metadata of {{ .advertiseFrom.metadata }}
{{- else if has .advertise (list "" "pod") -}}that of the {{ ternary "node" "pod" (eq .network "host") }}
{{- else -}}{{ .advertise }}
{{- end -}}
{{- end -}}
