{{/* sidestream.yaml of one workload: dict root, component, region. Values' config, and what this chart decides. */}}
{{- define "sidestream.config" -}}
{{- $v := .root.Values -}}
{{- $tls := dict "certFile" "tls/tls.crt" "keyFile" "tls/tls.key" "caFile" "tls/ca.crt" -}}
{{- $nats := dict "servers" $v.nats.servers "replicas" $v.nats.replicas "credentialsFile" "nats/user.creds" -}}
{{- $_ := set $nats "tls" (ternary $tls (dict "certFile" "nats/tls.crt" "keyFile" "nats/tls.key" "caFile" "nats/ca.crt") (empty $v.nats.tlsSecret)) -}}
{{- $regions := dict -}}
{{- range $name, $region := $v.regions -}}
{{- $_ := set $regions $name (dict "recorders" (default list $region.recorders)) -}}
{{- end -}}
{{- $management := get .ports "management" -}}
{{- $config := mustMergeOverwrite (deepCopy $v.config) (dict
      "nats" $nats
      "regions" $regions
      "grpc" (dict "tls" (merge (dict "serverName" $v.tls.serverName) $tls))
      "management" (dict "listen" (printf "0.0.0.0:%d" (int $management)))
      "signalling" (dict "edge" (printf "tcp://127.0.0.1:%d" (int $v.signalling.ports.edgeAdmin)) "stateDirectory" "/var/lib/sidestream")
      "mediaRelay" (dict "rtpengine" (dict "ng" (printf "127.0.0.1:%d" (int $v.mediaRelay.ports.ng))))
    ) -}}
{{- if eq .component "signalling" -}}
{{- $_ := set $config.signalling "edge" (printf "tcp://127.0.0.1:%d" (int .ports.edgeAdmin)) -}}
{{- $_ := set $config.signalling "grpcListen" (printf "0.0.0.0:%d" (int .ports.grpc)) -}}
{{- $_ := set $config.mediaRelay "region" .region -}}
{{- else if eq .component "media-relay" -}}
{{- $_ := set $config.mediaRelay "listen" (printf "0.0.0.0:%d" (int .ports.grpc)) -}}
{{- $_ := set $config.mediaRelay "rtpengine" (dict "ng" (printf "127.0.0.1:%d" (int .ports.ng)) "http" (printf "127.0.0.1:%d" (int .ports.http))) -}}
{{- $_ := set $config.mediaRelay "region" .region -}}
{{- else if eq .component "policy-sync" -}}
{{- $_ := set $config "policySync" (dict "listen" (printf "0.0.0.0:%d" (int .ports.grpc))) -}}
{{- else if eq .component "registration" -}}
{{- $_ := set $config "registration" (dict "listen" (printf "0.0.0.0:%d" (int .ports.grpc))) -}}
{{- else if eq .component "gateway" -}}
{{- $_ := set $config "gateway" (mustMergeOverwrite (dict "drainSeconds" 5 "tls" (dict "certFile" "tls/tls.crt" "keyFile" "tls/tls.key")) (default dict $config.gateway | deepCopy) (dict "listen" (printf "0.0.0.0:%d" (int .ports.http)))) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* /etc/sidestream: the configuration and every file that it names. A missing Secret or key keeps the pod from starting. */}}
{{- define "sidestream.configVolume" -}}
- name: config
  projected:
    defaultMode: 0440
    sources:
      - configMap: { name: {{ .fullname | quote }} }
      - secret:
          name: {{ include "sidestream.tlsSecret" . | quote }}
          items:
            - { key: ca.crt, path: tls/ca.crt }
            - { key: tls.crt, path: tls/tls.crt }
            - { key: tls.key, path: tls/tls.key }
      - secret:
          name: {{ include "sidestream.natsSecret" . | quote }}
          items: [{ key: user.creds, path: nats/user.creds }]
      {{- with .root.Values.nats.tlsSecret }}
      - secret:
          name: {{ . | quote }}
          items:
            - { key: ca.crt, path: nats/ca.crt }
            - { key: tls.crt, path: nats/tls.crt }
            - { key: tls.key, path: nats/tls.key }
      {{- end }}
      {{- range .root.Values.files }}
      {{- $path := .path }}
      - {{ ternary "secret" "configMap" (not (empty .secret)) }}:
          name: {{ default .configMap .secret | quote }}
          items:
            {{- range .keys }}
            - { key: {{ . | quote }}, path: {{ printf "files/%s/%s" $path . | quote }} }
            {{- end }}
      {{- end }}
{{- end -}}
