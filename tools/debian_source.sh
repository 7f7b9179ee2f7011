# Functions for scripts that need more of Debian than the host's package lists have; to be sourced.
# Nothing of the host's configuration is changed: apt gets a list and folders of its own.

# Runs apt-get with the repositories of the host, of TYPE (deb or deb-src) and with SUFFIX behind
# the release's name ("" or "-backports").
#
#   own_apt FOLDER TYPE SUFFIX APT-GET-ARGUMENT...
own_apt() {
    local folder=$1 type=$2 suffix=$3
    shift 3
    mkdir -p "$folder"/{lists,cache/archives}/partial
    local key=/usr/share/keyrings/debian-archive-keyring.gpg release
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # URIs that the host installs this release from, whatever mirror that is.
    apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
        sort -u | awk -v type="$type" -v key="$key" -v release="$release" -v suffix="$suffix" '
            $3 != "main" { next }
            suffix == "" && index($2, release) == 1 { print type, "[signed-by=" key "]", $1, $2, $3 }
            suffix != "" && $2 == release { print type, "[signed-by=" key "]", $1, $2 suffix, $3 }
        ' >"$folder/sources.list"
    apt-get -qq \
        -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder/cache" \
        -o APT::Sandbox::User=root "$@"
}
