// SPDX-License-Identifier: Apache-2.0

public import TLS

/// Whom names are asked of.
public struct LookupSettings: Hashable, Sendable {
  /// More servers are not asked.
  public static let mostServers = 4

  /// The DNS servers that are asked instead of the system's; none for the system's.
  public var servers: [SocketAddress]

  /// The system's servers, or `servers`.
  public init(servers: [SocketAddress] = []) { self.servers = servers }

  /// Reads the address of a DNS server as people write it: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`,
  /// `[2001:db8::53]:5353`. The port is 53 where none is given.
  /// - Returns: nil for anything else, also for a name.
  public static func server(_ text: String) -> SocketAddress? {
    guard let place = HostAndPort(text), let address = SocketAddress(place.host, port: place.port ?? 53) else {
      return nil
    }
    return address.port == 0 ? nil : address
  }
}
