# Completion of kvs(1) for bash: source this file, or install it as
# /usr/share/bash-completion/completions/kvs.

# Keys and folders below the folder in front of the cursor, asked of the node that the line names.
_kvs_paths() {
  local current=$1 folder="" word i
  local -a node=()
  [[ $current == */* ]] && folder=${current%/*}/
  for ((i = 1; i < ${#COMP_WORDS[@]} - 1; i++)); do
    # HOST:PORT is three words to bash, since a colon breaks them.
    if [[ ${COMP_WORDS[i]} == --node ]]; then
      word=${COMP_WORDS[i + 1]}${COMP_WORDS[i + 2]}${COMP_WORDS[i + 3]}
      [[ $word == *:* ]] && node=(--node "$word")
    fi
  done
  while IFS= read -r word; do
    [[ $folder$word == "$current"* ]] && COMPREPLY+=("$folder$word")
  done < <(kvs ls --timeout 1 --limit 200 "${node[@]}" -- "${folder:-/}" 2>/dev/null)
  [[ ${COMPREPLY[0]} == */ ]] && compopt -o nospace
}

_kvs() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local subcommands="get put del ls tree watch members status leave export import bench backup restore check make-conflict"
  local client="--node --timeout --json --help"
  local subcommand="" options="" word
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ " $subcommands " == *" $word "* ]]; then
      subcommand=$word
      break
    fi
  done

  case $previous in
    --file | --output)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return ;;
    --node)
      mapfile -t COMPREPLY < <(compgen -W "127.0.0.1:8080 ${KVS_NODE:-}" -- "$current")
      return ;;
    --timeout | --ttl | --if-match | --limit | --since | --depth | --retry | --from-line | --connections | --seconds | --count | \
      --keys | --size | --reads | --prefix)
      return ;;
  esac

  case $subcommand in
    "") options="$subcommands --help --version" ;;
    get) options="--meta $client" ;;
    put) options="--file --string --if-match --if-none-match --ttl $client" ;;
    del) options="--if-match --recursive --everything $client" ;;
    ls) options="--recursive --values --limit $client" ;;
    tree) options="--depth $client" ;;
    watch) options="--values --snapshot --since --limit $client" ;;
    members) options="--all $client" ;;
    status) options=$client ;;
    leave) options="--yes $client" ;;
    export) options="--output --continue --after --retry --deletions --partial $client" ;;
    import) options="--from-line --new-versions --keep-existing --skip-refused --connections --depth --retry $client" ;;
    bench)
      options="--connections --depth --seconds --count --keys --size --reads --prefix --keep $client" ;;
    backup) options=$client ;;
    restore) options="--json --help" ;;
    check) options="--help" ;;
    make-conflict) options="--keys --help" ;;
  esac

  if [[ $current == -* || -z $subcommand ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    if [[ -z $subcommand && $current != -* ]]; then
      mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -X '!*.yaml' -- "$current")
    fi
    return
  fi
  case $subcommand in
    get | put | del | ls | tree | watch | export) _kvs_paths "$current" ;;
    import) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    check) mapfile -t COMPREPLY < <(compgen -f -X '!*.yaml' -- "$current") ;;
    make-conflict | restore) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
  esac
}

complete -o filenames -F _kvs kvs
