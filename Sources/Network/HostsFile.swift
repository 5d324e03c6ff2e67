// SPDX-License-Identifier: Apache-2.0

internal import CAres
internal import EventLoop
internal import Glibc
internal import TLS

/// What this machine knows without DNS: `/etc/hosts`, or the file that `$CARES_HOSTS` names, and itself.
enum HostsFile {
  /// The addresses of `name`; none where it must be asked of DNS. The file is read off the loop: people block
  /// advertisements with a hundred thousand lines.
  static func addresses(of name: String, port: UInt16) async -> [SocketAddress] {
    if HostName.isThisMachine(name) {
      return ["::1", "127.0.0.1"].compactMap { SocketAddress($0, port: port) }
    }
    return await offLoop { lookUp(name, port) }
  }

  private final class Answer {
    var addresses: [SocketAddress] = []
  }

  private static func lookUp(_ name: String, _ port: UInt16) -> [SocketAddress] {
    var options = ares_options()
    options.flags = ARES_FLAG_NOALIASES
    let answer = Answer()
    _ = LookupSettings().withChannel(options: &options, ARES_OPT_FLAGS | ARES_OPT_LOOKUPS, lookups: "f") { channel in
      var hints = ares_addrinfo_hints()
      hints.ai_family = AF_UNSPEC
      hints.ai_socktype = cares_stream
      hints.ai_flags = ARES_AI_NUMERICSERV | ARES_AI_NOSORT | ARES_AI_ENVHOSTS
      // With files alone it answers within the call, and at the latest when the channel goes.
      ares_getaddrinfo(
        channel, name, String(port), &hints,
        { answer, status, _, list in
          defer { ares_freeaddrinfo(list) }
          guard status == cares_success, let answer else { return }
          Unmanaged<Answer>.fromOpaque(answer).takeUnretainedValue().addresses = DNSChannel.addresses(list)
        }, Unmanaged.passUnretained(answer).toOpaque())
      ares_destroy(channel)
    }
    return answer.addresses
  }
}
