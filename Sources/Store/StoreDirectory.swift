// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Synchronization

/// The directory of a store: made where there is none, and ours alone while the store is open.
final class StoreDirectory: Sendable {
  /// Stands in the file `lock`, behind who has it, from when the files are in use until they are closed in order.
  private static let mark = "\nopen"

  let path: String
  /// The locked descriptor, −1 once it was let go.
  private let lock: Atomic<Int32>
  /// Whether the files were in use when whoever had them before ended.
  private let wasLeftOpen: Bool

  /// Takes a directory.
  /// - Throws: ``StoreError`` naming it, when it cannot be made, others may write to it, or another daemon has it.
  init(_ path: String) throws(StoreError) {
    guard path.utf8.first == UInt8(ascii: "/") else {
      throw StoreError(.directory, "The state directory must be an absolute path, not \"\(path)\".")
    }
    self.path = path
    try StoreDirectory.make(path)
    try StoreDirectory.check(path)
    let (descriptor, wasLeftOpen) = try StoreDirectory.lock(path)
    lock = Atomic(descriptor)
    self.wasLeftOpen = wasLeftOpen
  }

  deinit { release() }

  /// Lets another daemon have it.
  func release() {
    let descriptor = lock.exchange(-1, ordering: .relaxed)
    guard descriptor >= 0 else { return }
    // Closing alone would not do: a child that is just being made has a copy of the descriptor for a moment.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  // MARK: In use

  /// Sees that nobody took away a file that was in use when its daemon ended: a database without its log is one of an
  /// earlier time, in which a person had not yet said no.
  /// - Throws: ``StoreError`` naming it.
  func checkWhatWasLeft(_ names: [String]) throws(StoreError) {
    guard wasLeftOpen else { return }
    for name in names {
      var status = stat()
      guard stat(file(name), &status) != 0, errno == ENOENT else { continue }
      throw StoreError(
        .broken,
        """
        \(file(name)) is missing, though it was in use when the daemon ended, so that what was decided last is lost: put it \
        back, or remove \(file("lock")) to go on with what there is.
        """)
    }
    noteUse(false)
  }

  /// Notes that the files are in use, and all there, or not any more.
  func noteUse(_ isOpen: Bool) {
    let descriptor = lock.load(ordering: .relaxed)
    guard descriptor >= 0 else { return }
    StoreDirectory.sign(descriptor, isOpen: isOpen)
    // The log goes once nothing is in use, and must not be gone before this is.
    if !isOpen { fdatasync(descriptor) }
  }

  /// Writes who has the directory, for whoever finds it taken; that nobody can read it is no reason not to start.
  private static func sign(_ descriptor: Int32, isOpen: Bool) {
    let text = Array("\(getpid())\(isOpen ? mark : "")".utf8)
    ftruncate(descriptor, 0)
    _ = pwrite(descriptor, text, text.count, 0)
  }

  /// Makes what is missing of the path, for us alone.
  private static func make(_ path: String) throws(StoreError) {
    var made = ""
    for name in path.split(separator: "/") {
      made += "/\(name)"
      guard mkdir(made, 0o700) != 0, errno != EEXIST else { continue }
      // On the way there, what cannot be made may be there all the same, where we may not even look.
      let failure = errno
      var status = stat()
      guard stat(made, &status) != 0 else { continue }
      throw cannotUse(path, "\(made) cannot be made: \(String(cString: strerror(failure)))")
    }
  }

  private static func check(_ path: String) throws(StoreError) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw cannotUse(path, String(cString: strerror(errno))) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw cannotUse(path, "it is not a directory") }
    guard status.st_uid == geteuid() else {
      throw cannotUse(path, "it belongs to user \(status.st_uid), and the daemon runs as user \(geteuid())")
    }
    guard status.st_mode & 0o022 == 0 else {
      throw cannotUse(path, "others may write to it: chmod 700 it")
    }
  }

  private static func lock(_ path: String) throws(StoreError) -> (descriptor: Int32, wasLeftOpen: Bool) {
    let name = "\(path)/lock"
    let descriptor = try open(name)
    let hasLocked = flock(descriptor, LOCK_EX | LOCK_NB) == 0
    let failure = errno
    var text = [UInt8](repeating: 0, count: 32)
    let count = pread(descriptor, &text, text.count, 0)
    let signed = String(decoding: text.prefix(max(0, count)), as: UTF8.self)
    guard hasLocked else {
      defer { close(descriptor) }
      guard failure == EWOULDBLOCK else { throw StoreError(failure, on: name, toDo: "locked") }
      let holder = signed.prefix { $0.isNumber }
      throw StoreError(
        .inUse,
        """
        The state directory \(path) is used by another nightcloakd\(holder.isEmpty ? "" : ", process \(holder)"): end \
        that one, or give this one a directory of its own with --state-directory.
        """)
    }
    let wasLeftOpen = signed.hasSuffix(mark)
    // A doubt stays until somebody has looked into it.
    sign(descriptor, isOpen: wasLeftOpen)
    return (descriptor, wasLeftOpen)
  }

  /// Makes a file for us alone where there is none, and sees that it is that.
  /// - Throws: ``StoreError`` when it is something else than a file of ours.
  func prepare(_ name: String) throws(StoreError) {
    // Not once SQLite has it open: closing any descriptor of a file drops the locks that a process has on it.
    close(try StoreDirectory.open(file(name)))
  }

  private static func open(_ path: String) throws(StoreError) -> Int32 {
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0o600)
    guard descriptor >= 0 else { throw StoreError(errno, on: path, toDo: "opened") }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid() else {
      close(descriptor)
      throw StoreError(.directory, "\(path) is not a regular file of the user that the daemon runs as: move it away.")
    }
    if status.st_mode & 0o777 != 0o600, fchmod(descriptor, 0o600) != 0 {
      let failure = errno
      close(descriptor)
      throw StoreError(failure, on: path, toDo: "kept from others")
    }
    return descriptor
  }

  /// Makes the names of new files durable.
  func sync() throws(StoreError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StoreError(errno, on: path, toDo: "opened") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw StoreError(errno, on: path, toDo: "written") }
  }

  private static func cannotUse(_ path: String, _ reason: String) -> StoreError {
    StoreError(.directory, "The state directory \(path) cannot be used: \(reason).")
  }
}
