{{/*
Who may reach a workload's pods: nobody but those named here; and whom they may reach, where values say so. Pods on the nodes' network are
beyond it.
*/}}
{{- define "sidestream.networkPolicy" }}
{{- if and .values.networkPolicy.egress (eq (default "pod" .values.network) "host") }}
{{- fail (printf "regions.%s: %s.networkPolicy.egress is for pods on the pods' network: none holds those on the nodes'" .region .key) }}
{{- end }}
{{- if ne (default "pod" .values.network) "host" }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .fullname | quote }}
  labels:
    {{- include "sidestream.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "sidestream.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress{{ if .values.networkPolicy.egress }}, Egress{{ end }}]
  {{- with .values.networkPolicy.egress }}
  egress:
    # Names, NATS, and services that are called: by their ports, as no address is known here.
    - ports:
        - { protocol: UDP, port: 53 }
        - { protocol: TCP, port: 53 }
        {{- range include "sidestream.calledPorts" $ | fromJsonArray }}
        - { protocol: TCP, port: {{ . }} }
        {{- end }}
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ingress:
    - ports: [{ protocol: TCP, port: {{ .ports.management }} }]
      {{- with .root.Values.networkPolicy.monitoringNamespaces }}
      from:
        - namespaceSelector:
            {{- toYaml . | nindent 12 }}
      {{- end }}
    {{- if .ports.grpc }}
    # Mutual TLS guards it; callers on the nodes' network can't be named.
    - ports: [{ protocol: TCP, port: {{ .ports.grpc }} }]
    {{- end }}
    {{- if eq .component "signalling" }}
    - ports:
        - { protocol: UDP, port: {{ .values.sip.port }} }
        - { protocol: TCP, port: {{ .values.sip.port }} }
        {{- if .values.sip.tls.secretName }}
        - { protocol: TCP, port: {{ .values.sip.tls.port }} }
        {{- end }}
      {{- with .values.loadBalancer.sourceRanges }}
      from:
        {{- range . }}
        - ipBlock: { cidr: {{ . | quote }} }
        {{- end }}
        # helm test
        - podSelector:
            matchLabels:
              {{- include "sidestream.selectorLabels" (dict "root" $.root "component" "test" "region" $.region) | nindent 14 }}
        {{- if $.root.Values.operator.enabled }}
        # sidestream options
        - podSelector:
            matchLabels:
              {{- include "sidestream.selectorLabels" (dict "root" $.root "component" "cli" "region" "") | nindent 14 }}
        {{- end }}
      {{- end }}
    {{- else if eq .component "media-relay" }}
    - ports: [{ protocol: UDP, port: {{ .values.rtp.min }}, endPort: {{ .values.rtp.max }} }]
    {{- else if eq .component "gateway" }}
    - ports: [{ protocol: TCP, port: {{ .ports.http }} }]
    {{- end }}
{{- end }}
{{- end -}}

{{/* TCP ports at which a workload finds NATS, and by gRPC the services that it calls, as JSON. */}}
{{- define "sidestream.calledPorts" -}}
{{- $v := .root.Values -}}
{{- $ports := list -}}
{{- range $v.nats.servers -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default "4222" | int) -}}
{{- end -}}
{{- if eq .component "signalling" -}}
{{- $ports = append $ports (dig "mediaRelay" "ports" "grpc" $v.mediaRelay.ports.grpc (get $v.regions .region) | int) -}}
{{- else if has .component (list "gateway" "cli") -}}
{{- range $cell := $v.regions -}}
{{- $ports = append $ports (dig "signalling" "ports" "grpc" $v.signalling.ports.grpc $cell | int) -}}
{{- end -}}
{{- $ports = append (append $ports (int $v.policySync.ports.grpc)) (int $v.registration.ports.grpc) -}}
{{- end -}}
{{- uniq $ports | toJson -}}
{{- end -}}

{{/* Paths of what trunks reach over TLS, as JSON, by the rule of protocolOf in edge-references.ts of packages/service. Of the root. */}}
{{- define "sidestream.overTls" -}}
{{- $paths := list -}}
{{- range $name, $trunk := .Values.config.trunks -}}
{{- $uris := dict -}}
{{- range $index, $target := default list $trunk.targets -}}
{{- $_ := set $uris (printf "targets.%d" $index) (get (kindIs "map" $target | ternary $target (dict "uri" $target)) "uri") -}}
{{- end -}}
{{- $registrars := dig "register" "registrar" list $trunk -}}
{{- range $index, $uri := kindIs "string" $registrars | ternary (list $registrars) $registrars -}}
{{- $_ := set $uris (printf "register.registrar.%d" $index) $uri -}}
{{- end -}}
{{- range $path, $uri := $uris -}}
{{- $own := regexFind ";transport=[a-z]+$" $uri | trimPrefix ";transport=" -}}
{{- if or (hasPrefix "sips:" $uri) (eq "tls" (default $trunk.transport $own | toString)) -}}
{{- $paths = append $paths (printf "config.trunks.%s.%s" $name $path) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $paths | toJson -}}
{{- end -}}

{{/*
Whom the load balancers of a cell let in, as JSON: root, values. Without sourceRanges the addresses of trunks; nobody named, that is anybody,
where one may call or answer from an address that isn't known here: digest alone, a registrar, a target by its name.
*/}}
{{- define "sidestream.sourceRanges" -}}
{{- $ranges := list -}}
{{- $known := true -}}
{{- range $trunk := .root.Values.config.trunks -}}
{{- $ranges = concat $ranges (default list $trunk.peers) -}}
{{- if or (hasKey $trunk "register") (and (hasKey $trunk "digest") (not $trunk.peers)) -}}{{- $known = false -}}{{- end -}}
{{- range default list $trunk.targets -}}
{{- $uri := kindIs "string" . | ternary . (get (kindIs "map" . | ternary . dict) "uri") -}}
{{- $host := regexReplaceAll "^sips?:(\\[[^\\]]+\\]|[^:;]+).*$" $uri "${1}" -}}
{{- if regexMatch "^([0-9]+[.][0-9.]+|\\[.*\\])$" $host -}}
{{- $ranges = append $ranges (trimAll "[]" $host) -}}
{{- else -}}
{{- $known = false -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $networks := list -}}
{{- range $ranges -}}
{{- $networks = append $networks (contains "/" . | ternary . (printf "%s/%s" . (contains ":" . | ternary "128" "32"))) -}}
{{- end -}}
{{- default ($known | ternary (uniq $networks) list) .values.loadBalancer.sourceRanges | toJson -}}
{{- end -}}
