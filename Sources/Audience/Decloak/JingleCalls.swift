// SPDX-License-Identifier: Apache-2.0

/// Which calls go on, and with whom (XEP-0166): a session that was for a call ends with the last of them.
public struct JingleCalls: Sendable {
  private struct Call: Hashable {
    let address: Address
    let id: String
  }
  private var calls: [BareAddress: Set<Call>] = [:]

  /// What the end of a call was the end of.
  public struct Last: Hashable, Sendable {
    /// The last call with that very address.
    public let ofAddress: Bool
    /// The last call with any resource of the account.
    public let ofAccount: Bool
  }

  /// None.
  public init() {}

  /// A call was begun. One too many is not counted: it ends without a session ending with it.
  public mutating func began(_ id: String, with address: Address) {
    let contact = address.account
    guard (calls[contact]?.count ?? 0) < Limits.callsPerContact, calls[contact] != nil || calls.count < Limits.callers
    else { return }
    calls[contact, default: []].insert(Call(address: address, id: id))
  }

  /// A call is over.
  /// - Returns: `nil` for one that was not known.
  public mutating func ended(_ id: String, with address: Address) -> Last? {
    let contact = address.account
    guard calls[contact]?.remove(Call(address: address, id: id)) != nil else { return nil }
    let left = calls[contact] ?? []
    if left.isEmpty { calls[contact] = nil }
    return Last(ofAddress: !left.contains { $0.address == address }, ofAccount: left.isEmpty)
  }

  /// Forgets the calls with those who are not in `audience` any more.
  public mutating func forgetOutside(_ contact: BareAddress, _ audience: Audience) {
    guard let left = calls[contact]?.filter({ audience.contains($0.address) }) else { return }
    calls[contact] = left.isEmpty ? nil : left
  }

  /// Forgets all.
  public mutating func removeAll() { calls.removeAll() }
}
