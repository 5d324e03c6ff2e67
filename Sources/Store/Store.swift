// SPDX-License-Identifier: Apache-2.0

public import EventLoop

/// What the daemon remembers from one run to the next.
@LoopActor
public final class Store {
  /// Where it is kept; nil if only in memory.
  public let directory: String?
  /// Called when something that was queued could not be kept. The account concerned has its roster transferred whole
  /// the next time.
  public var onFault: @LoopActor (StoreError) -> Void = { _ in }

  private var accounts: [AccountKey: AccountStore] = [:]

  private init(directory: String?) { self.directory = directory }

  /// Opens what is kept in a directory, and makes it where there is none.
  /// - Parameter directory: its absolute path; nil keeps nothing beyond the life of the program.
  /// - Throws: ``StoreError`` when the directory cannot be used, another daemon uses it, or its files are broken or too
  ///   new.
  public static func open(directory: String?) async throws(StoreError) -> Store { Store(directory: directory) }

  /// What is kept of one account. Nothing is written by asking; the same key always gives the same object.
  public func account(_ key: AccountKey) -> AccountStore {
    if let known = accounts[key] { return known }
    let made = AccountStore(key, self)
    accounts[key] = made
    return made
  }

  /// Writes what is queued, makes everything durable, and lets go of the directory.
  public func close() async {}
}
