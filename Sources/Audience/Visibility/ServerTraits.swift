// SPDX-License-Identifier: Apache-2.0

/// What was measured of a kind of server: where it tells of us by itself whatever we do.
public struct ServerTraits: Hashable, Sendable {
  /// What kind it is, as it says (the name of its disco identity); `nil` for one that nobody has measured.
  let name: String?

  /// The traits of a server.
  /// - Parameter named: what it calls itself.
  public init(named name: String?) { self.name = name }

  /// In what it falls short under a mechanism.
  public func degradations(of mechanism: Mechanism) -> Set<Degradation> { [] }
}
