// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Logging
internal import Store

/// Tells the log what could not be kept or read where nobody waits to hear it: each kind of failure once, since a full
/// disk fails every call.
@LoopActor
final class StoreFaults {
  private let logger: Logger
  private var told: Set<StoreError.Code> = []

  init(_ logger: Logger) { self.logger = logger }

  /// Does `work`; nil where it failed.
  @discardableResult
  func attempt<Result>(_ work: () throws(StoreError) -> Result) -> Result? {
    do throws(StoreError) {
      return try work()
    } catch {
      tell(error)
      return nil
    }
  }

  func tell(_ error: StoreError) {
    if told.insert(error.code).inserted { logger.warning("\(error.message)") }
  }
}

extension AccountError {
  /// Does `work`, whose failure is told to whoever waits.
  /// - Throws: ``AccountError`` `storageFailed`: what cannot be written down is not done.
  static func storing<Result>(_ work: () throws(StoreError) -> Result) throws(AccountError) -> Result {
    do throws(StoreError) {
      return try work()
    } catch {
      throw AccountError(error)
    }
  }

  init(_ error: StoreError) { self.init(.storageFailed, error.message) }
}
