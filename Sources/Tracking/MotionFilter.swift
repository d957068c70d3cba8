internal import Messages

/// A Kalman filter over centre, width and height with constant velocity.
///
/// SORT's 8-state filter with diagonal noise falls apart into four filters of two states (position, velocity), which is
/// what is stored. Noise is a rate per second, scaled by the object's own size, so one long step equals many short ones.
struct MotionFilter: Sendable {
    /// Standard deviation of a measured edge, in object sizes (DeepSORT: 1/20).
    static let measurementDeviation = 1.0 / 20
    /// Drift of the position, sizes² per second. DeepSORT's is ten times as much ((1/20)² per frame at 30 frames a second): it
    /// then hardly asks where an object was before, and learns speeds worse.
    static let positionNoise = 3 * measurementDeviation * measurementDeviation
    /// Drift of the velocity, sizes² per second³ (DeepSORT: (1/160 per frame)² per frame at 30 frames a second).
    static let velocityNoise = 30.0 * (30.0 / 160) * (30.0 / 160)
    /// Deviation of the unknown first velocity, sizes per second (DeepSORT: 10/160 per frame).
    static let firstVelocityDeviation = 10 * 30.0 / 160

    private var centerX: Axis
    private var centerY: Axis
    private var width: Axis
    private var height: Axis

    init(_ box: Box) {
        let measured = Measurement(box)
        centerX = Axis(measured.centerX, scale: measured.height)
        centerY = Axis(measured.centerY, scale: measured.height)
        width = Axis(measured.width, scale: measured.width)
        height = Axis(measured.height, scale: measured.height)
    }

    /// Moves on by `seconds` ≥ 0.
    mutating func predict(_ seconds: Double) {
        let w = max(width.position, 1)
        let h = max(height.position, 1)
        centerX.predict(seconds, scale: h)
        centerY.predict(seconds, scale: h)
        width.predict(seconds, scale: w)
        height.predict(seconds, scale: h)
    }

    mutating func correct(_ box: Box) {
        let measured = Measurement(box)
        centerX.correct(measured.centerX, scale: measured.height)
        centerY.correct(measured.centerY, scale: measured.height)
        width.correct(measured.width, scale: measured.width)
        height.correct(measured.height, scale: measured.height)
    }

    /// An unseen object keeps its size: a trend measured while it slid behind something would shrink it to nothing.
    mutating func holdSize() {
        width.velocity = 0
        height.velocity = 0
    }

    var centre: (x: Double, y: Double) { (centerX.position, centerY.position) }

    /// The centre's velocity, pixels per second.
    var velocity: (x: Double, y: Double) { (centerX.velocity, centerY.velocity) }

    /// nil when the state has left the numbers a box can hold.
    var box: Box? {
        let w = width.position
        let h = height.position
        let x = centerX.position - w / 2
        let y = centerY.position - h / 2
        let limit = Tracker.maximumCoordinate
        guard w > 0, h > 0, w <= limit, h <= limit, abs(x) <= limit, abs(y) <= limit else { return nil }
        return Box(x: Float(x), y: Float(y), width: Float(w), height: Float(h))
    }

    private struct Measurement {
        var centerX: Double
        var centerY: Double
        var width: Double
        var height: Double

        init(_ box: Box) {
            width = Double(box.width)
            height = Double(box.height)
            centerX = Double(box.x) + width / 2
            centerY = Double(box.y) + height / 2
        }
    }
}

/// Position and velocity along one axis with their covariance.
private struct Axis: Sendable {
    var position: Double
    var velocity = 0.0
    private var varPosition: Double
    private var covariance = 0.0
    private var varVelocity: Double

    init(_ position: Double, scale: Double) {
        self.position = position
        let place = 2 * MotionFilter.measurementDeviation * scale
        let speed = MotionFilter.firstVelocityDeviation * scale
        varPosition = place * place
        varVelocity = speed * speed
    }

    mutating func predict(_ t: Double, scale: Double) {
        let s2 = scale * scale
        let acceleration = MotionFilter.velocityNoise * s2
        position += velocity * t
        varPosition +=
            t * (2 * covariance + t * varVelocity) + MotionFilter.positionNoise * s2 * t + acceleration * t * t * t / 3
        covariance += t * varVelocity + acceleration * t * t / 2
        varVelocity += acceleration * t
    }

    mutating func correct(_ measured: Double, scale: Double) {
        let noise = MotionFilter.measurementDeviation * scale
        let total = varPosition + noise * noise
        guard total > 0 else { return }
        let placeGain = varPosition / total
        let speedGain = covariance / total
        let difference = measured - position
        position += placeGain * difference
        velocity += speedGain * difference
        varVelocity = max(0, varVelocity - speedGain * covariance)
        covariance *= 1 - placeGain
        varPosition *= 1 - placeGain
    }
}
