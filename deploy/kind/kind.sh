#!/usr/bin/env bash
# A cluster on this machine with the chart in it, a simulated recorder and a simulated provider; see README.md beside this file.
set -Eeuo pipefail
here=${BASH_SOURCE[0]%/*}
[[ $here != "${BASH_SOURCE[0]}" ]] || here=.
cd "$here/../.."

readonly cluster=sidestream namespace=sidestream
# Docker's image store adds provenance for no platform, which kind can't load: "content digest not found".
export BUILDX_NO_DEFAULT_ATTESTATIONS=1
readonly images=(signalling media-relay policy-sync registration cli)

usage() {
  cat <<'TEXT'
usage: deploy/kind/kind.sh up | test | down

  up    create the cluster "sidestream", build and load our images, install NATS, the simulators and the chart, wait until all is ready;
        where it is there already, bring it up to date
  test  helm test: OPTIONS, and a call of which both voices are recorded
  down  delete the cluster and all that is in it

Needs docker, kind, kubectl, helm, node (20.19 or newer) with npm, and the network for the images of others. Every step has a deadline.
Exit code: 0 done, 1 a step failed, 2 wrong command line or something is not installed.
TEXT
}

step() {
  current="$*"
  printf '%s  %s\n' "$(date +%H:%M:%S)" "$current" >&2
}

failed() {
  printf 'kind.sh: failed at: %s\n' "${current:-the start}" >&2
  [[ -z "${look:-}" ]] || printf 'kind.sh: look at: %s\n' "$look" >&2
  # Of tests: pods of those that failed are there until the next run.
  [[ -z "${tested:-}" ]] || kube --request-timeout=30s logs -l app.kubernetes.io/component=test --all-containers --prefix --tail=-1 >&2 || true
  exit 1
}
trap failed ERR

require() {
  local missing=()
  for tool in "$@"; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  ((${#missing[@]} == 0)) && return
  printf 'kind.sh: not installed: %s\n' "${missing[*]}" >&2
  exit 2
}

# No other cluster is ever touched, whatever the current context is.
kube() { kubectl --context "kind-$cluster" --namespace "$namespace" "$@"; }
chart() { helm --kube-context "kind-$cluster" --namespace "$namespace" "$@"; }
exists() { kind get clusters 2>/dev/null | grep -qx "$cluster"; }

await() {
  step "waiting for $1"
  look="kubectl --context kind-$cluster -n $namespace describe pods; kubectl --context kind-$cluster -n $namespace get events"
  kube rollout status "$1" --timeout=300s >&2
  look=''
}

up() {
  require docker kind kubectl helm node npm
  if ! exists; then
    step 'creating the cluster (5 minutes at most)'
    timeout 600 kind create cluster --config deploy/kind/cluster.yaml --wait 300s
  fi
  for name in "${images[@]}"; do
    step "building sidestream/$name:kind (15 minutes at most)"
    timeout 900 docker build -q -f deploy/images/Dockerfile --build-arg "NAME=$name" -t "sidestream/$name:kind" . >&2
    step "loading sidestream/$name:kind"
    timeout 300 kind load docker-image --name "$cluster" "sidestream/$name:kind" >&2
  done

  step 'namespace, held to Pod Security "restricted"'
  kubectl --context "kind-$cluster" create namespace "$namespace" --dry-run=client -o yaml | kube apply -f - >&2
  kubectl --context "kind-$cluster" label --overwrite namespace "$namespace" pod-security.kubernetes.io/enforce=restricted >&2
  # The second is missing in clusters of before; their NATS would keep its old keys.
  if ! kube get secret nats sidestream-signalling-tls >/dev/null 2>&1; then
    step 'keys and NATS users, for two months'
    [[ -d node_modules ]] || timeout 600 npm ci --ignore-scripts --no-audit --no-fund >&2
    npx --no-install tsc -b packages/pki
    node deploy/kind/secrets.mjs | kube apply -f - >&2
    kube delete deployment/nats --ignore-not-found >&2
  fi

  step 'NATS, recorder, provider'
  kube apply -f deploy/kind/surroundings.yaml >&2
  # The tag of our images is always the same: only a restart takes a new one.
  kube rollout restart deployment/recorder deployment/provider >&2
  for name in nats recorder provider; do await "deployment/$name"; done

  step 'the chart'
  # Pods whose image has changed under its tag are replaced, and no others.
  local key name ids=()
  for key in signalling=signalling mediaRelay=media-relay policySync=policy-sync registration=registration operator=cli; do
    name=sidestream/${key#*=}:kind
    ids+=(--set-string "${key%=*}.podAnnotations.image=$(docker image inspect --format '{{.Id}}' "$name")")
  done
  chart upgrade --install sidestream helm/sidestream -f deploy/kind/values-kind.yaml "${ids[@]}" >&2
  for name in deployment/sidestream-policy-sync deployment/sidestream-registration deployment/sidestream-local-media statefulset/sidestream-local-sip deployment/sidestream-operator; do
    await "$name"
  done

  cat <<TEXT

Sidestream runs in the cluster "$cluster". What to do next:

  deploy/kind/kind.sh test                                               a call from one pod to another, both voices recorded
  kubectl --context kind-$cluster -n $namespace get pods
  kubectl --context kind-$cluster -n $namespace exec deploy/sidestream-operator -- sidestream calls list --ended    what became of it
  kubectl --context kind-$cluster -n $namespace logs deployment/recorder           what the recorder has got
  helm --kube-context kind-$cluster -n $namespace get notes sidestream
  deploy/kind/kind.sh down                                               delete it all; keys live for two months
TEXT
}

tests() {
  require kubectl kind helm
  exists || { printf 'kind.sh: there is no cluster "%s": kind.sh up\n' "$cluster" >&2; exit 1; }
  step 'helm test (5 minutes at most)'
  tested=yes
  # Without --logs: pods of tests that passed are gone before Helm looks, and it can't tell which container is meant.
  chart test sidestream --timeout 5m
}

down() {
  require kind
  step 'deleting the cluster'
  timeout 300 kind delete cluster --name "$cluster"
}

case "${1:-}" in
  up) up ;;
  test) tests ;;
  down) down ;;
  -h | --help | help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
