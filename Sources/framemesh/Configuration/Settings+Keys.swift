extension Settings {
    /// Every key there is. The last part is the name of the option that wins over it.
    enum Key: String, CaseIterable, Sendable {
        case logLevel = "log-level"
        case logFormat = "log-format"
        case traceEndpoint = "trace-endpoint"
        case traceRatio = "trace-ratio"
        case dnsServer = "dns-server"
        case zone
        case cluster

        case detectorListen = "detector.listen"
        case detectorModel = "detector.model"
        case detectorEngine = "detector.engine"
        case detectorWorkers = "detector.workers"
        case detectorQueueLimit = "detector.queue-limit"
        case detectorMaxBatchSize = "detector.max-batch-size"
        case detectorPreferredBatchSize = "detector.preferred-batch-size"
        case detectorPreserveOrdering = "detector.preserve-ordering"
        case detectorMaxQueueDelay = "detector.max-queue-delay-microseconds"
        case detectorMaxPixels = "detector.max-pixels"
        case detectorMaxSide = "detector.max-side"
        case detectorDrainTimeout = "detector.drain-timeout"
        case detectorTLSCertificate = "detector.tls-certificate"
        case detectorTLSKey = "detector.tls-key"
        case detectorTLSClientAuthorities = "detector.tls-client-ca"
        case detectorCredentials = "detector.credentials"
        case detectorAccessRules = "detector.access-rules"
        case detectorHealthListen = "detector.health-listen"
        case detectorMetricsListen = "detector.metrics-listen"

        case classifierListen = "classifier.listen"
        case classifierModel = "classifier.model"
        case classifierEngine = "classifier.engine"
        case classifierWorkers = "classifier.workers"
        case classifierQueueLimit = "classifier.queue-limit"
        case classifierMaxBatchSize = "classifier.max-batch-size"
        case classifierPreferredBatchSize = "classifier.preferred-batch-size"
        case classifierPreserveOrdering = "classifier.preserve-ordering"
        case classifierMaxQueueDelay = "classifier.max-queue-delay-microseconds"
        case classifierMaxPixels = "classifier.max-pixels"
        case classifierMaxSide = "classifier.max-side"
        case classifierDrainTimeout = "classifier.drain-timeout"
        case classifierTLSCertificate = "classifier.tls-certificate"
        case classifierTLSKey = "classifier.tls-key"
        case classifierTLSClientAuthorities = "classifier.tls-client-ca"
        case classifierCredentials = "classifier.credentials"
        case classifierAccessRules = "classifier.access-rules"
        case classifierHealthListen = "classifier.health-listen"
        case classifierMetricsListen = "classifier.metrics-listen"

        case nodeListen = "node.listen"
        case nodeModel = "node.model"
        case nodeEngine = "node.engine"
        case nodeWorkers = "node.workers"
        case nodeQueueLimit = "node.queue-limit"
        case nodeMaxBatchSize = "node.max-batch-size"
        case nodePreferredBatchSize = "node.preferred-batch-size"
        case nodePreserveOrdering = "node.preserve-ordering"
        case nodeMaxQueueDelay = "node.max-queue-delay-microseconds"
        case nodeMaxPixels = "node.max-pixels"
        case nodeMaxSide = "node.max-side"
        case nodeDrainTimeout = "node.drain-timeout"
        case nodeTLSCertificate = "node.tls-certificate"
        case nodeTLSKey = "node.tls-key"
        case nodeTLSClientAuthorities = "node.tls-client-ca"
        case nodeCredentials = "node.credentials"
        case nodeAccessRules = "node.access-rules"
        case nodeHealthListen = "node.health-listen"
        case nodeMetricsListen = "node.metrics-listen"

        case coordinatorListen = "coordinator.listen"
        case coordinatorDetectors = "coordinator.detectors"
        case coordinatorClassifiers = "coordinator.classifiers"
        case coordinatorNodes = "coordinator.nodes"
        case coordinatorDetectModel = "coordinator.detect-model"
        case coordinatorClassifyModel = "coordinator.classify-model"
        case coordinatorFrameDeadline = "coordinator.frame-deadline"
        case coordinatorDrainTimeout = "coordinator.drain-timeout"
        case coordinatorMaxAttempts = "coordinator.max-attempts"
        case coordinatorTLSCertificate = "coordinator.tls-certificate"
        case coordinatorTLSKey = "coordinator.tls-key"
        case coordinatorTLSClientAuthorities = "coordinator.tls-client-ca"
        case coordinatorCredentials = "coordinator.credentials"
        case coordinatorAccessRules = "coordinator.access-rules"
        case coordinatorHealthListen = "coordinator.health-listen"
        case coordinatorMetricsListen = "coordinator.metrics-listen"
        case coordinatorNodeTLS = "coordinator.node-tls"
        case coordinatorNodeTLSAuthorities = "coordinator.node-tls-ca"
        case coordinatorNodeTLSCertificate = "coordinator.node-tls-certificate"
        case coordinatorNodeTLSKey = "coordinator.node-tls-key"
        case coordinatorNodeTLSServerName = "coordinator.node-tls-server-name"
        case coordinatorNodeTokenFile = "coordinator.node-token-file"

        case gatewayListen = "gateway.listen"
        case gatewayCoordinator = "gateway.coordinator"
        case gatewayData = "gateway.data"
        case gatewayDatabase = "gateway.database"
        case gatewayTokens = "gateway.tokens"
        /// What such a file holds; for the environment, as others see a command line.
        case gatewayTokenLines = "gateway.token-lines"
        case gatewayCORSOrigin = "gateway.cors-origin"
        case gatewayHostName = "gateway.host-name"
        case gatewayStreamAllow = "gateway.stream-allow"
        case gatewayStreamAuthorities = "gateway.stream-authorities"
        case gatewayCameraFolder = "gateway.camera-folder"
        case gatewayWebhookAllow = "gateway.webhook-allow"
        case gatewayWebhookSecretFile = "gateway.webhook-secret-file"
        case gatewayDrainTimeout = "gateway.drain-timeout"
        case gatewayTLSCertificate = "gateway.tls-certificate"
        case gatewayTLSKey = "gateway.tls-key"
        case gatewayTLSClientAuthorities = "gateway.tls-client-ca"
        case gatewayMetricsListen = "gateway.metrics-listen"
        case gatewayCoordinatorTLS = "gateway.coordinator-tls"
        case gatewayCoordinatorTLSAuthorities = "gateway.coordinator-tls-ca"
        case gatewayCoordinatorTLSCertificate = "gateway.coordinator-tls-certificate"
        case gatewayCoordinatorTLSKey = "gateway.coordinator-tls-key"
        case gatewayCoordinatorTLSServerName = "gateway.coordinator-tls-server-name"
        case gatewayCoordinatorTokenFile = "gateway.coordinator-token-file"

        case upCoordinatorPort = "up.coordinator-port"
        case upGatewayPort = "up.gateway-port"
        case upDetectors = "up.detectors"
        case upClassifiers = "up.classifiers"
        case upNodes = "up.nodes"
        case upDetectModel = "up.detect-model"
        case upClassifyModel = "up.classify-model"
        case upEngine = "up.engine"
        case upWorkers = "up.workers"
        case upMaxPixels = "up.max-pixels"
        case upMaxSide = "up.max-side"
        case upDrainTimeout = "up.drain-timeout"

        case clientCoordinator = "client.coordinator"
        case clientTLS = "client.tls"
        case clientTLSAuthorities = "client.tls-ca"
        case clientTLSCertificate = "client.tls-certificate"
        case clientTLSKey = "client.tls-key"
        case clientTLSServerName = "client.tls-server-name"
        case clientTokenFile = "client.token-file"

        /// For example `--frame-deadline`.
        var option: String { "--" + (rawValue.split(separator: ".").last ?? "") }
    }

    /// What a pipeline of the user's may have: `pipelines.NAME.stages` and so on.
    enum PipelineKey: String, CaseIterable, Sendable {
        /// A list of `detect`, `classify`, `track`.
        case stages
        /// Stages without which a frame fails; the others only make it partial.
        case required
        /// Classes of each picture or box.
        case topK = "top-k"
        /// Boxes of a frame that are classified, where `detect` comes first.
        case boxes
        case text
    }

    /// Those of `Key`, and of the limits.
    static let knownKeys = Key.allCases.map(\.rawValue) + limitKeys

    static let pipelineSection = "pipelines"
}
