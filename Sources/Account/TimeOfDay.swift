// SPDX-License-Identifier: Apache-2.0

package import Audience
package import EventLoop

extension TimeSource {
  /// The time of day at which `instant` is or was, in microseconds since 1970-01-01 UTC.
  @LoopActor
  package func microsecondsSinceEpoch(at instant: Instant) -> UInt64 {
    let difference = (instant.nanoseconds - now.nanoseconds) / 1000
    return UInt64(clamping: Int64(clamping: microsecondsSinceEpoch).addingReportingOverflow(difference).partialValue)
  }
}
