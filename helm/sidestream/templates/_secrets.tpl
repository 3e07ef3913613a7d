{{/*
Every Secret that this chart refers to and doesn't have made otherwise, as JSON: name → { keys, type }. One that is named twice has the
keys of both.
*/}}
{{- define "sidestream.secrets" -}}
{{- $v := .Values -}}
{{- $components := dict -}}
{{- $extraEnv := list -}}
{{- $named := list -}}
{{- $tls := list "tls.crt" "tls.key" -}}
{{- $withAuthority := list "ca.crt" "tls.crt" "tls.key" -}}
{{- range $key, $component := dict "policySync" "policy-sync" "registration" "registration" "gateway" "gateway" "operator" "cli" -}}
{{- if (get $v $key).enabled -}}
{{- $_ := set $components $key $component -}}
{{- $extraEnv = concat $extraEnv (get $v $key).extraEnv -}}
{{- end -}}
{{- end -}}
{{- range $cell := $v.regions -}}
{{- if dig "cell" true $cell -}}
{{- $_ := set $components "signalling" "signalling" -}}
{{- $_ := set $components "mediaRelay" "media-relay" -}}
{{- $signalling := mustMergeOverwrite (deepCopy $v.signalling) (deepCopy (default dict $cell.signalling)) -}}
{{- $mediaRelay := mustMergeOverwrite (deepCopy $v.mediaRelay) (deepCopy (default dict $cell.mediaRelay)) -}}
{{- $extraEnv = concat $extraEnv $signalling.extraEnv $mediaRelay.extraEnv -}}
{{- $named = append $named (dict "name" $signalling.sip.tls.secretName "keys" $tls) -}}
{{- end -}}
{{- end -}}
{{- range $key, $component := $components -}}
{{- $of := dict "root" $ "component" $component "key" $key -}}
{{- $named = append $named (dict "name" (include "sidestream.natsSecret" $of) "keys" (list "user.creds")) -}}
{{- if eq $v.tls.mode "existingSecret" -}}
{{- $named = append $named (dict "name" (include "sidestream.tlsSecret" $of) "keys" $withAuthority) -}}
{{- end -}}
{{- end -}}
{{- $named = append $named (dict "name" $v.nats.tlsSecret "keys" $withAuthority) -}}
{{- range $v.files -}}
{{- $named = append $named (dict "name" .secret "keys" .keys) -}}
{{- end -}}
{{- range $extraEnv -}}
{{- with dig "valueFrom" "secretKeyRef" dict . -}}
{{- $named = append $named (dict "name" .name "keys" (list .key)) -}}
{{- end -}}
{{- end -}}
{{- if and $v.gateway.enabled $v.gateway.ingress.enabled -}}
{{- $named = append $named (dict "name" $v.gateway.ingress.tlsSecret "keys" $tls "type" "kubernetes.io/tls") -}}
{{- end -}}
{{- with $v.gateway.httpRoute -}}
{{- if and $v.gateway.enabled .enabled .backendTls.enabled (eq .backendTls.ca.kind "Secret") -}}
{{- $named = append $named (dict "name" .backendTls.ca.name "keys" (list "ca.crt")) -}}
{{- end -}}
{{- end -}}
{{- range $v.imagePullSecrets -}}
{{- $named = append $named (dict "name" . "keys" (list ".dockerconfigjson") "type" "kubernetes.io/dockerconfigjson") -}}
{{- end -}}
{{- $secrets := dict -}}
{{- range $named -}}
{{- if .name -}}
{{- $known := default (dict "keys" list) (get $secrets .name) -}}
{{- $_ := set $secrets .name (dict "keys" (concat $known.keys .keys | uniq) "type" (default $known.type .type)) -}}
{{- end -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}
