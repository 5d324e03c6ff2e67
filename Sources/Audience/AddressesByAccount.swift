// SPDX-License-Identifier: Apache-2.0

/// Addresses, found by the account that they belong to.
struct AddressesByAccount: Hashable, Sendable {
  private var accounts: [BareAddress: Set<Address>] = [:]

  /// Those of one account.
  subscript(account: BareAddress) -> Set<Address> { accounts[account] ?? [] }

  /// Those of all accounts.
  var all: Set<Address> { accounts.values.reduce(into: []) { $0.formUnion($1) } }

  /// Whether there are none.
  var isEmpty: Bool { accounts.isEmpty }

  func contains(_ address: Address) -> Bool { accounts[address.account]?.contains(address) == true }

  mutating func insert(_ address: Address) { accounts[address.account, default: []].insert(address) }

  mutating func remove(_ address: Address) {
    accounts[address.account]?.remove(address)
    if accounts[address.account]?.isEmpty == true { accounts[address.account] = nil }
  }

  mutating func removeAll() { accounts.removeAll() }
}
