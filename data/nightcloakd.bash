# SPDX-License-Identifier: Apache-2.0
# What nightcloakd understands, for bash.

_nightcloakd() {
  local word=$2 before=$3
  case $before in
    --state-directory) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    --log-level) mapfile -t COMPREPLY < <(compgen -W 'error warning notice info debug' -- "$word") ;;
    --address | --dns-server) COMPREPLY=() ;;
    *)
      mapfile -t COMPREPLY < <(compgen -W '--system --session --address --state-directory --dns-server --log-level
        --version --help' -- "$word")
      ;;
  esac
}
complete -F _nightcloakd nightcloakd
