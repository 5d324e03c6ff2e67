// SPDX-License-Identifier: Apache-2.0

internal import XMPP

/// Capabilities by their hash. Only what has been verified gets in, so whoever announces the hash has them.
struct CapabilitiesCache {
  static let most = 1000

  private var known: [AnnouncedCapabilities.Hash: DiscoInfo] = [:]
  private var order: [AnnouncedCapabilities.Hash] = []

  subscript(hash: AnnouncedCapabilities.Hash) -> DiscoInfo? { known[hash] }

  mutating func insert(_ info: DiscoInfo, for hash: AnnouncedCapabilities.Hash) {
    if known.updateValue(info, forKey: hash) == nil { order.append(hash) }
    if order.count > Self.most { known[order.removeFirst()] = nil }
  }
}
