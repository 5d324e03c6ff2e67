// SPDX-License-Identifier: Apache-2.0

package import EventLoop
package import Logging
package import Store

/// Tells the log what could not be kept or read where nobody waits to hear it: each kind of failure once, since a full
/// disk fails every call.
@LoopActor
package final class StoreFaults {
  private let logger: Logger
  private var told: Set<StoreError.Code> = []

  package init(_ logger: Logger) { self.logger = logger }

  /// Does `work`; nil where it failed.
  @discardableResult
  package func attempt<Result>(_ work: () throws(StoreError) -> Result) -> Result? {
    do throws(StoreError) {
      return try work()
    } catch {
      tell(error)
      return nil
    }
  }

  package func tell(_ error: StoreError) {
    if told.insert(error.code).inserted { logger.warning("\(error.message)") }
  }
}

extension AccountError {
  /// Does `work`, whose failure is told to whoever waits.
  /// - Throws: ``AccountError`` `storageFailed`: what cannot be written down is not done.
  package static func storing<Result>(_ work: () throws(StoreError) -> Result) throws(AccountError) -> Result {
    do throws(StoreError) {
      return try work()
    } catch {
      throw AccountError(error)
    }
  }

  package init(_ error: StoreError) { self.init(.storageFailed, error.message) }
}
