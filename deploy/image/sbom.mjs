// sbom.mjs TARGET: prints what the binary for TARGET is made of, as a CycloneDX 1.6 document.
//
// The crates are those that `cargo tree` says are linked in, with the checksums of Cargo.lock; beside
// them stand the npm packages whose files the binary carries. The same sources give the same bytes.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const [target] = process.argv.slice(2);
if (!target) {
    console.error("usage: node sbom.mjs TARGET");
    process.exit(2);
}

/** SHA-256 of each crate's archive, by name and version. */
const checksums = new Map(
    readFileSync("Cargo.lock", "utf8")
        .split("[[package]]")
        .map((block) => Object.fromEntries([...block.matchAll(/^(\w+) = "(.*)"$/gm)].map((match) => match.slice(1))))
        .map(({ name, version, checksum }) => [`${name}@${version}`, checksum]),
);

/** Licences as SPDX writes them: some crates still put a slash between two. */
const licenses = (expression) => (expression ? [{ expression: expression.replaceAll("/", " OR ") }] : []);

const components = new Map();
const edges = new Map();

function add(component, dependents) {
    components.set(component.purl, { type: "library", "bom-ref": component.purl, ...component });
    edges.set(component.purl, edges.get(component.purl) ?? new Set());
    for (const dependent of dependents) {
        edges.get(dependent).add(component.purl);
    }
}

const tree = execFileSync(
    process.env.CARGO ?? "cargo",
    ["tree", "--locked", "--target", target, "--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", "|{p}|{l}|"],
    { encoding: "utf8", maxBuffer: 64 << 20 },
);
/** The package of each depth on the way to the current line. */
const path = [];
for (const line of tree.trim().split("\n")) {
    const [depth, crate, license] = line.split("|");
    const [name, version] = crate.split(" ");
    const number = version.replace(/^v/, "");
    const purl = `pkg:cargo/${name}@${number}`;
    const content = checksums.get(`${name}@${number}`);
    const hashes = content ? { hashes: [{ alg: "SHA-256", content }] } : {};
    path.splice(Number(depth), path.length, purl);
    add({ name, version: number, purl, licenses: licenses(license), ...hashes }, path.slice(-2, -1));
}
const [root] = path;

const { packages } = JSON.parse(readFileSync("static/package-lock.json", "utf8"));
for (const [place, { version, license, integrity, dev }] of Object.entries(packages)) {
    const name = place.split("node_modules/").at(-1);
    if (!place || dev) {
        continue;
    }
    const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
    const content = Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
    add({ name, version, purl, licenses: licenses(license), hashes: [{ alg: "SHA-512", content }] }, [root]);
}

const application = { ...components.get(root), type: "application" };
components.delete(root);
const byRef = (a, b) => (a < b ? -1 : 1);
const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: application },
    components: [...components.keys()].sort(byRef).map((ref) => components.get(ref)),
    dependencies: [...edges.keys()].sort(byRef).map((ref) => ({ ref, dependsOn: [...edges.get(ref)].sort(byRef) })),
};
console.log(JSON.stringify(document, null, 2));
