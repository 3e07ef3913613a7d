{{/* A workload's context: dict root, component, key (in values), name, region, values, ports → with fullname. */}}

{{/* The container that is one of our services. It has no preStop: SIGTERM begins its drain. */}}
{{- define "sidestream.serviceContainer" -}}
- name: {{ .component }}
  image: {{ include "sidestream.image" (dict "root" .root "image" .key) }}
  imagePullPolicy: {{ .root.Values.imagePullPolicy }}
  securityContext:
    {{- include "sidestream.securityContext" . | nindent 4 }}
  env:
    - { name: SIDESTREAM_CONFIG, value: /etc/sidestream/sidestream.yaml }
    - { name: SIDESTREAM_INSTANCE, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
    - { name: SIDESTREAM_ADVERTISE, valueFrom: { fieldRef: { fieldPath: status.podIP } } }
    {{- if eq .component "signalling" }}
    - { name: SIDESTREAM_EDGE_SECRET_FILE, value: /run/sidestream/edge-secret }
    {{- if .values.sip.tls.secretName }}
    # What drachtio-server has read, which a renewal doesn't change: when it ends, the pod has to start anew.
    - { name: SIDESTREAM_EDGE_CERT_FILE, value: /run/sidestream/edge.crt }
    - { name: SIDESTREAM_EDGE_KEY_FILE, value: /run/sidestream/edge.key }
    {{- end }}
    # Here, not in sidestream.yaml, where 0.1.0 would refuse it.
    - { name: SIDESTREAM_EDGE_METRICS, value: "127.0.0.1:{{ .ports.edgeMetrics }}" }
    {{- else if eq .component "media-relay" }}
    - { name: SIDESTREAM_ENGINE_METRICS, value: "127.0.0.1:{{ .ports.http }}" }
    {{- end }}
    {{- if include "sidestream.tellsCost" . }}
    - { name: SIDESTREAM_POD_URL, value: "https://kubernetes.default.svc/api/v1/namespaces/{{ .root.Release.Namespace }}/pods/$(SIDESTREAM_INSTANCE)" }
    - { name: SIDESTREAM_POD_CREDENTIALS, value: /run/pod }
    {{- end }}
    {{- with .values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - { name: management, containerPort: {{ .ports.management }}, protocol: TCP }
    {{- with .ports.grpc }}
    - { name: grpc, containerPort: {{ . }}, protocol: TCP }
    {{- end }}
    {{- if eq .component "gateway" }}
    - { name: https, containerPort: {{ .ports.http }}, protocol: TCP }
    {{- end }}
  # Liveness asks nothing of NATS, engines or recorders: a pod with live calls is never killed for their sake.
  startupProbe: { httpGet: { path: /livez, port: management }, periodSeconds: 2, failureThreshold: 60 }
  livenessProbe: { httpGet: { path: /livez, port: management }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }
  readinessProbe: { httpGet: { path: /readyz, port: management }, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 }
  resources:
    {{- toYaml .values.resources | nindent 4 }}
  volumeMounts:
    - { name: config, mountPath: /etc/sidestream, readOnly: true }
    - { name: tmp, mountPath: /tmp }
    {{- if include "sidestream.tellsCost" . }}
    - { name: pod, mountPath: /run/pod, readOnly: true }
    {{- end }}
    {{- if eq .component "signalling" }}
    - { name: state, mountPath: /var/lib/sidestream }
    - { name: run, mountPath: /run/sidestream, readOnly: true }
    {{- end }}
{{- end -}}

{{- define "sidestream.podMetadata" -}}
{{- range $label, $_ := .values.podLabels -}}
{{- if has $label (list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "sidestream/region") -}}
{{- fail (printf "podLabels: %s selects the pods and can't be changed" $label) -}}
{{- end -}}
{{- end -}}
# No version: a chart that changes nothing of the pod doesn't end its calls.
labels:
  {{- include "sidestream.selectorLabels" . | nindent 2 }}
  {{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  checksum/config: {{ include "sidestream.config" . | sha256sum }}
  {{- if .region }}
  cluster-autoscaler.kubernetes.io/safe-to-evict: "false"
  {{- end }}
  {{- with .values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* What all pods have, beside their containers and volumes. */}}
{{- define "sidestream.podSpec" -}}
serviceAccountName: {{ .fullname | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- include "sidestream.imagePullSecrets" .root }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
{{- if eq (default "pod" .values.network) "host" }}
hostNetwork: true
dnsPolicy: ClusterFirstWithHostNet
{{- end }}
# The drain, and what ending the rest takes.
terminationGracePeriodSeconds: {{ ternary (include "sidestream.graceSeconds" .root) "30" (not (empty .region)) }}
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "sidestream.selectorLabels" $ | nindent 8 }}
  {{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
