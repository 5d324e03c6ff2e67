// SPDX-License-Identifier: Apache-2.0

internal import XMPP

/// Capabilities by their hash. Only what has been verified gets in, so whoever announces the hash has them.
struct CapabilitiesCache {
  /// How many are held, and how many bytes of their XML. Then the one that was not used for longest goes.
  static let most = 1_000
  static let mostBytes = 4 << 20

  private struct Entry {
    let info: DiscoInfo
    let bytes: Int
    var used: UInt64
  }

  private var known: [AnnouncedCapabilities.Hash: Entry] = [:]
  private var uses: UInt64 = 0
  /// The bytes of what is held.
  private(set) var bytes = 0

  var count: Int { known.count }

  /// Looks one up, which counts as using it.
  mutating func use(_ hash: AnnouncedCapabilities.Hash) -> DiscoInfo? {
    uses += 1
    known[hash]?.used = uses
    return known[hash]?.info
  }

  /// Looks one up without a trace.
  subscript(hash: AnnouncedCapabilities.Hash) -> DiscoInfo? { known[hash]?.info }

  /// - Parameter size: the bytes of its XML.
  mutating func insert(_ info: DiscoInfo, for hash: AnnouncedCapabilities.Hash, bytes size: Int) {
    guard size <= Self.mostBytes else { return }
    uses += 1
    let old = known.updateValue(Entry(info: info, bytes: size, used: uses), forKey: hash)
    bytes += size - (old?.bytes ?? 0)
    while known.count > Self.most || bytes > Self.mostBytes,
      let oldest = known.min(by: { $0.value.used < $1.value.used })
    {
      known[oldest.key] = nil
      bytes -= oldest.value.bytes
    }
  }
}
