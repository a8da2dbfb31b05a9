import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { type AssetCode, Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

const REQUIRE_BANNER =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);\n";

/** Files to put beside a bundle: path inside the bundle → path of the source. */
export type BundledFiles = ReadonlyMap<string, string>;

/**
 * Bundles `functions/{entry}.ts` into one minified ES module, `index.mjs`, the AWS SDK included.
 * esbuild runs inside this process: a spawned bundler per function would dominate the time of a synth.
 */
export function bundle(entry: string, files: BundledFiles = new Map()): AssetCode {
  return Code.fromAsset(join(ROOT, 'functions'), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never pulled: CDK asks for an image even where the local bundler below does the work.
      image: DockerImage.fromRegistry('none'),
      // Not run either, but part of the key under which CDK remembers a bundle: without it all entries would share one.
      command: [entry],
      local: {
        tryBundle(outputDirectory) {
          const { outputFiles } = buildSync({
            entryPoints: [join(ROOT, 'functions', `${entry}.ts`)],
            absWorkingDir: ROOT,
            bundle: true,
            minify: true,
            platform: 'node',
            target: 'node24',
            format: 'esm',
            mainFields: ['module', 'main'],
            write: false,
            logLevel: 'warning',
          });
          const [module] = outputFiles;
          if (module === undefined) throw new Error(`esbuild wrote nothing for ${entry}`);
          writeFileSync(join(outputDirectory, 'index.mjs'), withRequire(module.text));
          for (const [destination, source] of files) {
            mkdirSync(join(outputDirectory, destination, '..'), { recursive: true });
            copyFileSync(source, join(outputDirectory, destination));
          }
          return true;
        },
      },
    },
  });
}

/** CommonJS packages in an ES module still call `require` for Node's own modules; esbuild leaves this text where they do. */
function withRequire(module: string): string {
  return module.includes('Dynamic require of') ? REQUIRE_BANNER + module : module;
}
