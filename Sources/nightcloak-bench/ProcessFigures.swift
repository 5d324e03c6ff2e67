// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What the kernel knows of a process.
struct ProcessFigures: Sendable {
  let pid: pid_t

  /// The CPU time of all its threads so far, in seconds.
  var cpuSeconds: Double {
    var clock = clockid_t()
    guard clock_getcpuclockid(pid, &clock) == 0 else { return 0 }
    return seconds(of: clock) ?? 0
  }

  /// Its proportional set size in KiB: what it has for itself, and its share of what it shares.
  var proportionalKiB: Double { number("/proc/\(pid)/smaps_rollup", "Pss:") ?? 0 }

  /// How often its threads went to sleep of themselves, and so were woken.
  var wakeUps: Double {
    Self.list("/proc/\(pid)/task").compactMap {
      number("/proc/\(pid)/task/\($0)/status", "voluntary_ctxt_switches:")
    }.reduce(0, +)
  }

  private func number(_ path: String, _ key: String) -> Double? {
    let line = text(of: path).split(separator: "\n").first { $0.hasPrefix(key) }
    return line?.dropFirst(key.count).split(whereSeparator: { $0 == " " || $0 == "\t" }).first.flatMap { Double($0) }
  }

  private static func list(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names.filter { !$0.hasPrefix(".") }
  }
}

/// The beginning of a file, up to 64 KiB; empty when it cannot be read.
func text(of path: String) -> String {
  guard let file = fopen(path, "re") else { return "" }
  defer { fclose(file) }
  var buffer = [UInt8](repeating: 0, count: 65536)
  let count = fread(&buffer, 1, buffer.count, file)
  return String(decoding: buffer.prefix(count), as: UTF8.self)
}

/// The time of the monotonic clock, in seconds.
func monotonicSeconds() -> Double { seconds(of: CLOCK_MONOTONIC) ?? 0 }

/// The CPU time of the calling thread, in seconds.
func threadSeconds() -> Double { seconds(of: CLOCK_THREAD_CPUTIME_ID) ?? 0 }

private func seconds(of clock: clockid_t) -> Double? {
  var time = timespec()
  guard clock_gettime(clock, &time) == 0 else { return nil }
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
