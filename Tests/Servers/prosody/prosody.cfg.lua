-- SPDX-License-Identifier: Apache-2.0
-- A server for tests, on loopback only. What differs from run to run comes in the environment: see run.
local directory = ENV_NIGHTCLOAK_DIRECTORY

run_as_root = true -- tests may run as root, in a container for one
data_path = directory .. "/data"
certificates = directory
plugin_paths = { "/usr/lib/prosody/modules" } -- of Debian's prosody-modules
log = { debug = directory .. "/prosody.log" }
ssl = { key = directory .. "/localhost.key", certificate = directory .. "/localhost.crt" }

interfaces = { "127.0.0.1" }
component_interfaces = { "127.0.0.1" }
c2s_ports = { tonumber(ENV_NIGHTCLOAK_C2S) }
c2s_direct_tls_ports = { tonumber(ENV_NIGHTCLOAK_TLS) }
component_ports = { tonumber(ENV_NIGHTCLOAK_COMPONENT) }
s2s_ports = {}
http_ports = {}
https_ports = {}

storage = "internal"
authentication = ENV_NIGHTCLOAK_AUTHENTICATION
c2s_require_encryption = false -- raw clients of the tests talk in the clear
allow_unencrypted_plain_auth = true
smacks_hibernation_time = tonumber(ENV_NIGHTCLOAK_RESUME)

-- Those of Debian's configuration that touch presence are all here. vcard_legacy puts an avatar's hash into presence that
-- has none, which nobody should be given with a decloak.
local enabled = {
  "roster", "saslauth", "tls", "disco", "private", "blocklist", "carbons", "smacks", "csi_simple",
  "pep", "vcard4", "vcard_legacy", "version", "time", "ping", "uptime", "lastactivity", "register",
}
for name in ENV_NIGHTCLOAK_MODULES:gmatch("%S+") do table.insert(enabled, name) end
modules_enabled = enabled
modules_disabled = { "s2s" }

local without = { "DIGEST-MD5" } -- what Prosody leaves out by itself
for mechanism in ENV_NIGHTCLOAK_WITHOUT:gmatch("%S+") do table.insert(without, mechanism) end
disable_sasl_mechanisms = without

VirtualHost "localhost"

for domain in ENV_NIGHTCLOAK_DOMAINS:gmatch("([^%s=]+)=%S+") do
  VirtualHost(domain)
  ssl = { key = directory .. "/" .. domain .. ".key", certificate = directory .. "/" .. domain .. ".crt" }
end

Component "conference.localhost" "muc"
muc_room_locking = false -- a room is there as soon as somebody enters it

Component "sip.localhost"
component_secret = "gateway"
validate_from_addresses = ENV_NIGHTCLOAK_FOREIGN == "" -- otherwise it speaks for domains that there are not

for domain in ENV_NIGHTCLOAK_COMPONENTS:gmatch("%S+") do
  Component(domain)
  component_secret = "gateway"
end
