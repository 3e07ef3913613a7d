{{/* Names. A name of a Service begins with a letter, whatever the release is called. */}}
{{- define "sidestream.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := default (ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name)) .Values.fullnameOverride -}}
{{- ternary $full (printf "s%s" $full) (regexMatch "^[a-z]" $full) | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* A workload's name: dict root, name, region. An instance's name is its pod's, of 63 characters at most. */}}
{{- define "sidestream.name" -}}
{{- $name := list (include "sidestream.fullname" .root) .region .name | compact | join "-" -}}
{{- if gt (len $name) 46 -}}
{{- fail (printf "%s is too long a name for a workload: shorten the release, fullnameOverride or the region to 46 characters together" $name) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "sidestream.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component | quote }}
{{- with .region }}
sidestream/region: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "sidestream.labels" -}}
{{ include "sidestream.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{/* dict root, image (key of .Values.images). The registry is of images that we build; drachtio-server's says its own in the repository. */}}
{{- define "sidestream.image" -}}
{{- $image := get .root.Values.images .image -}}
{{- $registry := ternary "" .root.Values.imageRegistry (eq .image "drachtio") -}}
{{- $repository := list $registry $image.repository | compact | join "/" -}}
{{- if $image.digest -}}
{{ printf "%s@%s" $repository $image.digest | quote }}
{{- else -}}
{{ printf "%s:%s" $repository (default .root.Chart.AppVersion (toString $image.tag)) | quote }}
{{- end -}}
{{- end -}}

{{- define "sidestream.imagePullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* What every container gets: no root, no writing, no capabilities. */}}
{{- define "sidestream.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Seconds of a duration such as 180s, 3m. */}}
{{- define "sidestream.seconds" -}}
{{- $units := dict "ms" 0 "s" 1 "m" 60 "h" 3600 "d" 86400 -}}
{{- mul (regexFind "^[0-9]+" . | atoi) (get $units (regexFind "[a-z]+$" .)) -}}
{{- end -}}

{{- define "sidestream.graceSeconds" -}}
{{- add (int .Values.config.signalling.drainSeconds) 30 -}}
{{- end -}}

{{/* One for each workload in mode certManager: Certificates that share a secret would replace each other's for ever. */}}
{{- define "sidestream.tlsSecret" -}}
{{- if ne .root.Values.tls.mode "certManager" -}}
{{- if and .root.Values.tls.checkNames .root.Values.tls.secretName -}}
{{- fail "tls.checkNames needs a certificate for each service: tls.secretName is one for all" -}}
{{- end -}}
{{- default (printf "%s-%s-tls" (include "sidestream.fullname" .root) .component) .root.Values.tls.secretName -}}
{{- else if .root.Values.tls.secretName -}}
{{- fail "tls.secretName is of mode existingSecret: in mode certManager each workload has a secret of its own" -}}
{{- else -}}
{{- printf "%s-tls" .fullname -}}
{{- end -}}
{{- end -}}

{{/* A NATS user for each service: dict root, component, key. */}}
{{- define "sidestream.natsSecret" -}}
{{- default (printf "%s-nats-%s" (include "sidestream.fullname" .root) .component) (get .root.Values.nats.credentials .key) -}}
{{- end -}}
