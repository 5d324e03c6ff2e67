// SPDX-License-Identifier: Apache-2.0

// What others' clients can do, by its hash: the same for all accounts, and off the loop like the roster. The file may
// have been in others' hands: what comes out of it is to be verified again.

extension AccountStore {
  /// The `<query/>` that was kept for a hash, which counts as using it; nil if there is none, or none that can be read.
  /// - Parameters:
  ///   - algorithm: the hash function by its name in the registry, as `sha-1`.
  ///   - hash: the hash, in Base64.
  public func capabilities(algorithm: String, hash: String) async -> String? {
    guard attempt({ () throws(StoreError) in try store.check() }) != nil else { return nil }
    return await store.cache.capabilities(algorithm, hash)
  }

  /// Keeps what a hash stands for, in place of what was kept for it. What is too long is not kept, and while many wait
  /// to be written no more are taken: all that it costs is to ask again.
  public func keepCapabilities(_ new: StoredCapabilities) {
    guard attempt({ () throws(StoreError) in try store.check() }) != nil else { return }
    guard new.info.utf8.count <= StoredCapabilities.mostBytes,
      new.algorithm.utf8.count + new.hash.utf8.count <= StateDatabase.mostTextBytes
    else { return }
    store.cache.keep(new)
  }

  /// Keeps nothing more for a hash, as after it turned out not to be the hash of what was kept.
  public func forgetCapabilities(algorithm: String, hash: String) {
    guard attempt({ () throws(StoreError) in try store.check() }) != nil else { return }
    store.cache.forgetCapabilities(algorithm, hash)
  }
}
