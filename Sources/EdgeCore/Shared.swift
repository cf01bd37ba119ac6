/// An immutable value that many hold by reference: what is the same for every connection is stored once.
public final class Shared<Value: Sendable>: Sendable {
  /// The value.
  public let value: Value

  /// Shares a value.
  public init(_ value: Value) {
    self.value = value
  }
}
