// SPDX-License-Identifier: Apache-2.0

import CDBus
import CWitness
import DBusInterfaces
import EventLoop
import Glibc
import Testing

@testable import DBus

@Suite("The traps of libdbus")
struct TrapTests {
  init() { EventLoop.runInBackground() }

  @Test("What a caller must not know of answers byte for byte like what is not there")
  @LoopActor func noOracle() async throws {
    let scene = try await Scene()
    let hidden: ObjectPath = "/org/nightcloak/Test1/u1000/romeo"
    let interface = Value.string(EverythingProxy.interface)
    let properties = "org.freedesktop.DBus.Properties"
    let calls: [(String?, String, [Value])] = [
      (EverythingProxy.interface, "Ping", []), (EverythingProxy.interface, "Fail", [true]), ("a.b", "C", []),
      (EverythingProxy.interface, "NoSuchMethod", []), (nil, "Ping", []), (nil, "Introspect", []),
      ("org.freedesktop.DBus.Introspectable", "Introspect", []), (properties, "Get", [interface, "Level"]),
      (properties, "Get", [interface, "NoSuch"]), (properties, "Get", []), (properties, "GetAll", [interface]),
      (properties, "Set", [interface, "Level", .variant("high")]), ("org.freedesktop.DBus.Peer", "Ping", []),
      ("org.freedesktop.DBus.Peer", "NoSuch", []),
      ("org.freedesktop.DBus.ObjectManager", "GetManagedObjects", []),
    ]
    scene.tree.maySee = { path, _ in !path.isWithin("/org/nightcloak/Test1/u1000") }
    for path in [hidden, "/org/nightcloak/Test1/u1000", "/org/nightcloak/Test1/u1000/romeo/below"] as [ObjectPath] {
      for (interface, member, arguments) in calls {
        scene.tree.objects[hidden] = nil
        scene.tree.managers = []
        let absent = try await scene.bytes(interface, member, arguments, at: path)
        _ = scene.tree.add(hidden, scene.everything)
        scene.tree.managers = ["/org/nightcloak/Test1/u1000"]
        let forbidden = try await scene.bytes(interface, member, arguments, at: path)
        #expect(absent == forbidden, "\(interface ?? "") \(member) at \(path)")
        if interface != "org.freedesktop.DBus.Peer" {
          #expect(String(decoding: forbidden, as: UTF8.self).contains("UnknownObject"), "\(member)")
        }
      }
    }
    #expect(scene.everything.pings == 0 && scene.everything.level == "low")
    let above = try await scene.call("org.freedesktop.DBus.Introspectable", "Introspect", at: "/org/nightcloak/Test1")
    #expect(above.first?.as(String.self)?.contains("u1000") == false)
    #expect(above.first?.as(String.self)?.contains("<node name=\"a\"/>") == true)
    scene.close()
  }

  @Test("Two callers on one bus each see their own objects alone")
  @LoopActor func twoCallers() async throws {
    let scene = try await Scene()
    let other = try await BusConnection.open(scene.bus.address)
    let (mine, theirs) = ("/u1/a", "/u2/a") as (ObjectPath, ObjectPath)
    _ = scene.tree.add(mine, scene.everything)
    _ = scene.tree.add(theirs, scene.everything)
    scene.tree.managers = ["/u1", "/u2"]
    let name = scene.client.uniqueName
    scene.tree.maySee = { path, caller in path.isWithin(caller.name == name ? "/u1" : "/u2") }
    for (connection, sees, other) in [(scene.client, "u1", "u2"), (other, "u2", "u1")] {
      let own = ObjectPath.root.appending(escaping: sees)
      let foreign = ObjectPath.root.appending(escaping: other)
      let root = try await connection.call(
        "org.nightcloak.Test1", "/", "org.freedesktop.DBus.Introspectable", "Introspect")
      #expect(root.first?.as(String.self)?.contains("\"\(sees)\"") == true)
      #expect(root.first?.as(String.self)?.contains("\"\(other)\"") == false)
      let managed = try await connection.call(
        "org.nightcloak.Test1", own, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
      let objects = managed.first?.as([ObjectPath: [String: [String: Value]]].self)
      #expect(objects.map { Array($0.keys) } == [own.appending(escaping: "a")])
      try await EverythingProxy(connection, "org.nightcloak.Test1", own.appending(escaping: "a")).ping()
      do {
        try await EverythingProxy(connection, "org.nightcloak.Test1", foreign.appending(escaping: "a")).ping()
        Issue.record("\(sees) reached \(other)")
      } catch {
        #expect(error == DBusError(.unknownObject, "There is no object at \"/\(other)/a\""))
      }
    }
    other.close()
    scene.close()
  }

  @Test("A flood of messages leaves the other descriptors their turn after 32 of them")
  @LoopActor func noStarvation() async throws {
    let scene = try await Scene()
    try await scene.proxy.ping()
    scene.tree.lookups = 0
    for _ in 0..<600 { try scene.sendWithoutReply("Ping") }
    dbus_connection_flush(scene.client.pointer)
    // Read everything ahead without handling it, as a blocking call would.
    var quiet = 0
    while quiet < 20 {
      let before = dbus_connection_get_dispatch_status(scene.service.pointer)
      dbus_connection_read_write(scene.service.pointer, 5)
      quiet = before == DBUS_DISPATCH_DATA_REMAINS && !scene.service.isReadable ? quiet + 1 : 0
    }
    var ends: [Int32] = [0, 0]
    #expect(witness_pipe(&ends) == 0)
    let (reader, writer) = (ends[0], ends[1])
    defer {
      close(reader)
      close(writer)
    }
    let handled = await withCheckedContinuation { (continuation: CheckedContinuation<Int, Never>) in
      EventLoop.shared.watch(reader, for: .read) { _ in
        EventLoop.shared.unwatch(reader)
        continuation.resume(returning: scene.tree.lookups)
      }
      var byte: UInt8 = 1
      #expect(write(writer, &byte, 1) == 1)
      scene.service.dispatch()
      #expect(scene.tree.lookups == 32)
    }
    #expect(handled <= 96)
    await eventually { scene.tree.lookups >= 600 }
    try await scene.proxy.ping()
    scene.close()
  }

  @Test("When the end of the bus frees a watch while another of the same descriptor is handled, it is not touched")
  @LoopActor func watchFreed() async throws {
    let scene = try await Scene()
    scene.bus.freeze()
    // More than the socket takes: the write watch is on, beside the read watch.
    let text = String(repeating: "x", count: 1 << 20)
    for _ in 0..<4 { EverythingEmitter(scene.server, scene.path).happened(what: text, details: [:]) }
    #expect(dbus_connection_has_messages_to_send(scene.service.pointer) != 0)
    let reason = await withCheckedContinuation { (gone: CheckedContinuation<DBusError, Never>) in
      scene.service.onDisconnected = { gone.resume(returning: $0) }
      scene.bus.stop()
    }
    #expect(reason.name == .disconnected)
  }

  @Test("A bus that reads nothing is given up before the memory is full, and that is told once")
  @LoopActor func boundedQueue() async throws {
    let scene = try await Scene()
    scene.bus.freeze()
    var told: [DBusError] = []
    scene.service.onDisconnected = { told.append($0) }
    var faults = 0
    scene.server.onFault = { _ in faults += 1 }
    let text = String(repeating: "x", count: 7 << 20)
    for _ in 0..<20 { EverythingEmitter(scene.server, scene.path).happened(what: text, details: [:]) }
    #expect(told.map(\.name) == [.disconnected])
    #expect(told.first?.message.contains("does not read") == true)
    #expect(faults == 1 && !scene.service.isOpen)
    scene.bus.stop()
  }

  @Test("A libdbus timeout fires again until it is removed, and both its ends leave no timer behind")
  @LoopActor func timeouts() async throws {
    let scene = try await Scene()
    for _ in 0..<3 {
      await #expect(throws: DBusError.self) { try await scene.proxy.wait(token: "x", timeout: .milliseconds(2)) }
    }
    try await scene.proxy.ping()
    #expect(scene.client.timeouts.count == 0)
    scene.close()
  }
}

@LoopActor
extension Scene {
  fileprivate func sendWithoutReply(_ member: String) throws {
    let message = try Message.call("org.nightcloak.Test1", path, EverythingProxy.interface, member)
    dbus_message_set_no_reply(message.pointer, 1)
    try client.send(message.pointer)
  }

  /// The whole answer to a call as it was on the wire, but for its serials.
  fileprivate func bytes(
    _ interface: String?, _ member: String, _ arguments: [Value], at path: ObjectPath
  ) async throws -> [UInt8] {
    let message = try Message.call("org.nightcloak.Test1", path, interface ?? "a.b", member)
    if interface == nil { message.removeInterface() }
    var writer = Writer(message.pointer)
    try writer.write(arguments: arguments)
    return await withCheckedContinuation { continuation in
      client.send(message) { reply in
        guard let copy = dbus_message_copy(reply) else { return continuation.resume(returning: []) }
        defer { dbus_message_unref(copy) }
        dbus_message_set_reply_serial(copy, 1)
        dbus_message_set_serial(copy, 1)
        var bytes: UnsafeMutablePointer<CChar>?
        var count: Int32 = 0
        dbus_message_marshal(copy, &bytes, &count)
        defer { dbus_free(bytes) }
        continuation.resume(
          returning: UnsafeBufferPointer(start: bytes, count: Int(count)).map { UInt8(bitPattern: $0) })
      }
    }
  }
}

extension Message {
  /// D-Bus lets callers leave the interface out.
  func removeInterface() { dbus_message_set_interface(pointer, nil) }
}

@LoopActor
extension BusConnection {
  /// Whether there is something to read on the socket.
  fileprivate var isReadable: Bool {
    var descriptor: Int32 = -1
    dbus_connection_get_socket(pointer, &descriptor)
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return Glibc.poll(&poll, 1, 0) > 0
  }

  /// Sends a call and gives the answer as libdbus has it.
  fileprivate func send(_ message: Message, _ completion: @escaping @LoopActor (OpaquePointer) -> Void) {
    final class Box {
      let completion: @LoopActor (OpaquePointer) -> Void
      init(_ completion: @escaping @LoopActor (OpaquePointer) -> Void) { self.completion = completion }
    }
    var pending: OpaquePointer?
    dbus_connection_send_with_reply(pointer, message.pointer, &pending, 5000)
    dbus_pending_call_set_notify(
      pending,
      { pending, data in
        guard let data, let reply = dbus_pending_call_steal_reply(pending) else { return }
        let box = Unmanaged<Box>.fromOpaque(data).takeRetainedValue()
        let completion = box.completion
        nonisolated(unsafe) let result = reply
        LoopActor.assumeIsolated { completion(result) }
        dbus_message_unref(reply)
      }, Unmanaged.passRetained(Box(completion)).toOpaque(), nil)
    dbus_pending_call_unref(pending)
    watches.settle()
  }
}
