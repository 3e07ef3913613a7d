{{/*
sidestream.yaml of one workload: dict root, component, region. Of values' config what this service reads, and what this chart decides:
what others read must not restart it, as pods with live calls drain for long.
*/}}
{{- define "sidestream.config" -}}
{{- $v := .root.Values -}}
{{- $tls := dict "certFile" "tls/tls.crt" "keyFile" "tls/tls.key" "caFile" "tls/ca.crt" -}}
{{- $nats := dict "servers" $v.nats.servers "replicas" $v.nats.replicas "credentialsFile" "nats/user.creds" -}}
{{- $_ := set $nats "tls" (ternary $tls (dict "certFile" "nats/tls.crt" "keyFile" "nats/tls.key" "caFile" "nats/ca.crt") (empty $v.nats.tlsSecret)) -}}
{{- $names := dict "serverName" $v.tls.serverName -}}
{{- if $v.tls.checkNames -}}{{- $_ := set $names "checkNames" true -}}{{- end -}}
{{- $component := .component -}}
{{- $tenants := dict -}}
{{- range $name, $tenant := $v.config.tenants -}}
{{- if or (has $component (list "signalling" "gateway" "cli"))
      (and (eq $component "policy-sync") (eq (dig "policy" "source" "" $tenant) "provider"))
      (and (eq $component "registration") (hasKey $tenant "provider") (dig "provider" "register" true $tenant)) -}}
{{- $_ := set $tenants $name $tenant -}}
{{- end -}}
{{- end -}}
{{- $regions := dict -}}
{{- range $tenant := $tenants -}}
{{- with get $v.regions $tenant.region -}}
{{- $_ := set $regions $tenant.region (dict "recorders" (default list .recorders)) -}}
{{- end -}}
{{- end -}}
{{- $management := dict "listen" (printf "0.0.0.0:%d" (int .ports.management)) -}}
{{- if and (eq (default "pod" .values.network) "host") $v.networkPolicy.monitoringCidrs -}}
{{- $_ := set $management "allow" $v.networkPolicy.monitoringCidrs -}}
{{- end -}}
{{- /* A default is left unsaid: what the version before doesn't know keeps its pods from starting again during the upgrade. */ -}}
{{- $same := pick $v.config "log" "telemetry" | deepCopy -}}
{{- if eq (dig "log" "parties" "" $same) "hashed" -}}{{- $_ := unset $same.log "parties" -}}{{- end -}}
{{- $config := mustMerge (dict
      "nats" $nats
      "regions" $regions
      "tenants" $tenants
      "trunks" dict
      "grpc" (dict "tls" (merge $names $tls))
      "management" $management
      "signalling" dict
      "mediaRelay" (dict "rtpengine" (dict "ng" (printf "127.0.0.1:%d" (int $v.mediaRelay.ports.ng))))
    ) $same -}}
{{- $grpc := printf "0.0.0.0:%d" (int .ports.grpc) -}}
{{- if eq $component "signalling" -}}
{{- $own := dict "edge" (printf "tcp://127.0.0.1:%d" (int .ports.edgeAdmin)) "grpcListen" $grpc "stateDirectory" "/var/lib/sidestream" -}}
{{- $_ := set $config "signalling" (mustMerge $own (deepCopy $v.config.signalling)) -}}
{{- $_ := set $config "trunks" $v.config.trunks -}}
{{- $_ := set $config.mediaRelay "region" .region -}}
{{- with $v.config.records -}}{{- $_ := set $config "records" . -}}{{- end -}}
{{- else if eq $component "media-relay" -}}
{{- /* rtpengine takes eight ports for a recorded call: who has none left must refuse, not fail. */ -}}
{{- $most := min 2000 (div (add1 (sub (int .values.rtp.max) (int .values.rtp.min))) 8) -}}
{{- $own := dict "listen" $grpc "region" .region "rtpengine" $config.mediaRelay.rtpengine -}}
{{- $_ := set $config "mediaRelay" (mustMerge $own (deepCopy $v.config.mediaRelay) (dict "maxSessions" (max 1 $most))) -}}
{{- $_ := set $config "signalling" (pick $v.config.signalling "drainSeconds") -}}
{{- else if eq $component "policy-sync" -}}
{{- $_ := set $config "policySync" (dict "listen" $grpc) -}}
{{- else if eq $component "registration" -}}
{{- $_ := set $config "registration" (dict "listen" $grpc) -}}
{{- else if eq $component "gateway" -}}
{{- $_ := set $config "gateway" (mustMergeOverwrite (dict "drainSeconds" 5 "tls" (dict "certFile" "tls/tls.crt" "keyFile" "tls/tls.key")) (default dict $v.config.gateway | deepCopy) (dict "listen" (printf "0.0.0.0:%d" (int .ports.http)))) -}}
{{- else if eq $component "cli" -}}
{{- /* The whole, for what examines it; what it listens on is nobody's there. */ -}}
{{- $edge := dict "edge" (printf "tcp://127.0.0.1:%d" (int $v.signalling.ports.edgeAdmin)) -}}
{{- $_ := set $config "signalling" (mustMerge $edge (deepCopy $v.config.signalling)) -}}
{{- $_ := set $config "mediaRelay" (mustMerge $config.mediaRelay (deepCopy $v.config.mediaRelay)) -}}
{{- $_ := set $config "trunks" $v.config.trunks -}}
{{- $config = mustMerge $config (pick $v.config "records" "gateway" | deepCopy) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/*
What of sidestream.yaml names the files that this service reads, as needed-files.ts of packages/service has it; and of the environment, for
such as NODE_EXTRA_CA_CERTS.
*/}}
{{- define "sidestream.naming" -}}
{{- $component := .component -}}
{{- $config := include "sidestream.config" . | fromYaml -}}
{{- $parts := list $config.telemetry $config.trunks (get $config "gateway") .values.extraEnv -}}
{{- range $tenant := $config.tenants -}}
{{- $provider := default dict $tenant.provider -}}
{{- if eq $component "signalling" -}}
{{- $parts = append $parts (list $tenant.recording (pick $tenant.policy "file")) -}}
{{- else if eq $component "policy-sync" -}}
{{- $parts = append $parts (list (omit $provider "bodyTemplateFile") (pick $tenant.policy "identitiesFile")) -}}
{{- else if eq $component "registration" -}}
{{- $parts = append $parts (list $provider $tenant.recording.identity) -}}
{{- end -}}
{{- end -}}
{{- if eq $component "signalling" -}}{{- $parts = append $parts $config.signalling -}}{{- end -}}
{{- if eq $component "cli" -}}{{- $parts = append $parts $config -}}{{- end -}}
{{- toJson $parts -}}
{{- end -}}

{{/*
/etc/sidestream: the configuration, and of the files that it names those that this service reads. A missing Secret or key keeps the pod
from starting; of `files` not that for operators, who may be looking for it.
*/}}
{{- define "sidestream.configVolume" -}}
{{- $naming := include "sidestream.naming" . }}
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
      {{- $path := printf "files/%s" .path }}
      {{- $keys := list }}
      {{- range .keys }}
      {{- if contains (printf "%s/%s\"" $path .) $naming }}
      {{- $keys = append $keys . }}
      {{- end }}
      {{- end }}
      {{- if $keys }}
      - {{ ternary "secret" "configMap" (not (empty .secret)) }}:
          name: {{ default .configMap .secret | quote }}
          {{- if eq $.component "cli" }}
          optional: true
          {{- end }}
          items:
            {{- range $keys }}
            - { key: {{ . | quote }}, path: {{ printf "%s/%s" $path . | quote }} }
            {{- end }}
      {{- end }}
      {{- end }}
{{- end -}}
