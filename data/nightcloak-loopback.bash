# SPDX-License-Identifier: Apache-2.0
# What nightcloak-loopback understands, for bash.

_nightcloak_loopback() {
  local word=$2 before=$3
  case $before in
    --users | --components | --certificate | --record)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      ;;
    --mechanisms)
      # The last of a list that is separated by commas.
      local list=${word%"${word##*,}"}
      mapfile -t COMPREPLY < <(compgen -P "$list" -W \
        'invisible-presence invisible-command privacy-list blocking all none' -- "${word##*,}")
      ;;
    --port | --domain | --resume-seconds | --listen) COMPREPLY=() ;;
    *)
      mapfile -t COMPREPLY < <(compgen -W '--users --port --domain --mechanisms --certificate --no-tls --plain
        --no-plus --components --resume-seconds --record --listen --version --help' -- "$word")
      ;;
  esac
}
complete -F _nightcloak_loopback nightcloak-loopback
