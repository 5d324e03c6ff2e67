// SPDX-License-Identifier: Apache-2.0

/// An error as it goes over the bus: a name for programs and a text for people.
///
/// busctl shows the text alone, so the text must say which case it is, what was wrong and what to do.
public struct DBusError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The name of an error; the known ones are static members, others are written as a literal.
  public struct Name: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The dotted name.
    public let text: String
    /// A name by its text. One that is not valid is sent as ``failed``.
    public init(_ text: String) { self.text = text }
    /// A name written in the source.
    public init(stringLiteral text: String) { self.text = text }

    private init(standard last: String) { text = "org.freedesktop.DBus.Error." + last }

    /// Nothing better is known.
    public static let failed = Name(standard: "Failed")
    /// An argument has the wrong type or a value that is not allowed.
    public static let invalidArgs = Name(standard: "InvalidArgs")
    /// There is no such object (or not for this caller).
    public static let unknownObject = Name(standard: "UnknownObject")
    /// The object has no such interface.
    public static let unknownInterface = Name(standard: "UnknownInterface")
    /// The interface has no such method.
    public static let unknownMethod = Name(standard: "UnknownMethod")
    /// The interface has no such property.
    public static let unknownProperty = Name(standard: "UnknownProperty")
    /// The property cannot be set.
    public static let propertyReadOnly = Name(standard: "PropertyReadOnly")
    /// The property cannot be read.
    public static let accessDenied = Name(standard: "AccessDenied")
    /// This is not built, or not for these arguments.
    public static let notSupported = Name(standard: "NotSupported")
    /// A limit was reached.
    public static let limitsExceeded = Name(standard: "LimitsExceeded")
    /// Something could not be read or written.
    public static let ioError = Name(standard: "IOError")
    /// No answer came in time.
    public static let noReply = Name(standard: "NoReply")
    /// The bus is gone.
    public static let disconnected = Name(standard: "Disconnected")
    /// The bus could not be reached.
    public static let noServer = Name(standard: "NoServer")
    /// The address of the bus is not one.
    public static let badAddress = Name(standard: "BadAddress")
    /// The name belongs to somebody else.
    public static let addressInUse = Name(standard: "AddressInUse")
    /// Nobody has the name that was called.
    public static let serviceUnknown = Name(standard: "ServiceUnknown")
    /// Nobody has the name that was asked about.
    public static let nameHasNoOwner = Name(standard: "NameHasNoOwner")
    /// A message has other types than agreed.
    public static let invalidSignature = Name(standard: "InvalidSignature")
    /// There is no memory for the message.
    public static let noMemory = Name(standard: "NoMemory")
  }

  /// Which error it is.
  public let name: Name
  /// What was wrong and what to do.
  public let message: String

  /// An error `name` that is explained by `message`.
  public init(_ name: Name, _ message: String) {
    self.name = name
    self.message = message
  }

  /// The text, then the name.
  public var description: String { "\(message) (\(name.text))" }

  /// The error that the bus is told when `error` was thrown by whoever serves a call.
  init(serving error: any Error) {
    switch error {
    case let error as DBusError: self = error
    case let error as any DBusErrorConvertible: self = error.dbusError
    default: self.init(.failed, "The call failed: \(error)")
    }
  }
}

/// An error of another room that knows what the bus is to be told.
public protocol DBusErrorConvertible: Error {
  /// The error as it goes over the bus.
  var dbusError: DBusError { get }
}
