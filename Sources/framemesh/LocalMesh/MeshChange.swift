/// What is done to a local mesh while it runs, as an operator does it.
enum MeshChange: Sendable, Hashable, CustomStringConvertible {
    /// Every part of the role is ended in an orderly way and started anew, one after the other: the next one when the last one
    /// serves again.
    case roll(MeshPart.Role)
    /// So many of the nodes of the role shall run; the others are ended in an orderly way.
    case scale(MeshPart.Role, to: Int)

    var description: String {
        switch self {
        case .roll(let role): "roll \(role.rawValue)"
        case .scale(let role, let count): "scale \(role.rawValue) to \(count)"
        }
    }
}
