// SPDX-License-Identifier: Apache-2.0

internal import TLS

/// A host that may be the server.
struct ServerTarget: Hashable, Sendable {
  /// Its name, or its numeric address without brackets.
  let host: String
  let port: UInt16
  /// Whether TLS begins with the first byte.
  let isDirect: Bool

  /// Its address, where it is numeric.
  var address: SocketAddress? { SocketAddress(host, port: port) }
}

/// From the server that is wanted to the hosts that may be it, in order. No I/O.
enum ServerPlan {
  typealias Answer = Result<[ServiceRecord], LookupError>

  /// Of one answer more records are not looked at.
  static let mostRecords = 64
  /// More hosts are not tried.
  static let mostTargets = 8

  /// The services to ask the domain about; none where it is known without.
  static func questions(_ wanted: WantedServer) -> [Service] {
    let host = wanted.domain
    guard wanted.server == nil, wanted.port == nil, HostName.isValid(host), !HostName.isThisMachine(host),
      SocketAddress(host, port: 0) == nil
    else { return [] }
    return switch wanted.protection {
    case .any: Service.allCases
    case .startTLS: [.startTLS]
    case .directTLS: [.directTLS]
    case .none: []
    }
  }

  /// The hosts to try.
  /// - Parameters:
  ///   - answers: what came of ``questions(_:)``.
  ///   - generator: where chance comes from.
  /// - Throws: ``ServerError`` where the domain says that it has no XMPP for clients.
  static func targets(
    _ wanted: WantedServer, _ answers: [Service: Answer], using generator: inout some RandomNumberGenerator
  ) throws(ServerError) -> [ServerTarget] {
    var found: [(record: ServiceRecord, isDirect: Bool)] = []
    var refusals = 0
    // In a fixed order, so that chance alone decides.
    for service in Service.allCases {
      guard case .success(let records)? = answers[service] else { continue }
      if records.contains(where: \.saysThatThereIsNone) { refusals += 1 }
      let usable = records.prefix(mostRecords).filter { !$0.saysThatThereIsNone && $0.port != 0 }
      found += usable.map { ($0, service == .directTLS) }
    }
    // Both sets are one (XEP-0368 §3).
    let ordered = ServiceOrder.ordered(found, by: \.record, using: &generator).map { found in
      ServerTarget(host: found.record.host, port: found.record.port, isDirect: found.isDirect)
    }
    if ordered.isEmpty, refusals > 0 {
      throw ServerError(
        .network,
        "\(wanted.domain) says in DNS that it has no XMPP server for what was asked: check the account's domain and the "
          + "parameter tls, or set the parameter server.")
    }
    let isDirect = wanted.protection == .directTLS
    let port = wanted.port ?? (isDirect ? Service.directTLS : .startTLS).defaultPort
    let fallback = ServerTarget(host: wanted.server ?? wanted.domain, port: port, isDirect: isDirect)
    let preferred = wanted.preferred.map { ServerTarget(host: $0.host, port: $0.port ?? port, isDirect: isDirect) }
    return unique((preferred.map { [$0] } ?? []) + (ordered.isEmpty ? [fallback] : ordered))
  }

  private static func unique(_ targets: [ServerTarget]) -> [ServerTarget] {
    var seen: Set<ServerTarget> = []
    return Array(targets.filter { seen.insert($0).inserted }.prefix(mostTargets))
  }
}
