// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience

/// What those who ask us, and those whom we asked, have announced of what they can do (XEP-0115).
struct AnnouncedBook {
  /// How many are remembered. It costs no more than a question to have forgotten one.
  static let most = 4_096

  private var announced: [Address: AnnouncedCapabilities] = [:]

  /// How many are known.
  var count: Int { announced.count }

  subscript(address: Address) -> AnnouncedCapabilities? { announced[address] }

  mutating func note(_ capabilities: AnnouncedCapabilities?, of address: Address) {
    if announced.count >= Self.most, announced[address] == nil, let some = announced.keys.first {
      announced[some] = nil
    }
    announced[address] = capabilities
  }
}
