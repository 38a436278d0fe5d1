// An agent in Node that tells `tracer serve` of itself: the lines that its user writes for that are marked.
import { APIStatusError, ServerOptions, cli, defineAgent, getJobContext, llm, telemetry, voice } from '@livekit/agents';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'; // traced
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'; // traced
import { fileURLToPath } from 'node:url';

const processors = new telemetry.FanoutSpanProcessor(); // traced
processors.add(new BatchSpanProcessor(new OTLPTraceExporter())); // traced
const provider = new NodeTracerProvider({ spanProcessors: [processors] }); // traced
provider.register(); // traced
telemetry.setTracerProvider(provider, { registerSpanProcessor: (one) => processors.add(one) }); // traced

// In a room of that name it fails.
const NO_ENTRY = 'node-throws';
const NO_MODEL = 'node-refused';

class Words extends llm.LLMStream {
  async run() {
    if (getJobContext().job.room.name === NO_MODEL) {
      throw new APIStatusError({ message: 'no such key', options: { statusCode: 401 } });
    }
    this.queue.put({ id: 'words', delta: { role: 'assistant', content: 'Hello there.' } });
  }
}

class Model extends llm.LLM {
  label() {
    return 'words';
  }

  chat({ chatCtx, toolCtx, connOptions }) {
    return new Words(this, { chatCtx, toolCtx, connOptions: connOptions ?? { maxRetry: 0, retryIntervalMs: 0, timeoutMs: 10000 } });
  }
}

class Greeter extends voice.Agent {
  async onEnter() {
    this.session.generateReply();
  }
}

export default defineAgent({
  entry: async (ctx) => {
    ctx.addShutdownCallback(() => provider.forceFlush()); // traced
    if (ctx.job.room.name === NO_ENTRY) {
      throw new Error('the menu is not to be had');
    }
    await ctx.connect();
    const session = new voice.AgentSession({ llm: new Model() });
    const agent = new Greeter({ instructions: 'Greet.' });
    await session.start({ agent, room: ctx.room, outputOptions: { audioEnabled: false } });
  },
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  cli.runApp(
    new ServerOptions({
      agent: fileURLToPath(import.meta.url),
      host: '127.0.0.1',
      port: Number(process.env.AGENT_PORT),
      numIdleProcesses: 1,
      loadFunc: async () => 0,
      initializeProcessTimeout: 120_000,
    }),
  );
}
