/** Files on the uploads' disk, all of them served below /static: nobody can guess the address of a private one. */
import { randomBytes } from "node:crypto";
import { join, parse } from "node:path";
import { ModuleProvider, Modules } from "@medusajs/framework/utils";
import { LocalFileService } from "@medusajs/medusa/file-local";

interface File {
  filename: string;
  mimeType: string;
  access?: "public" | "private";
}

class FileService extends LocalFileService {
  override upload(file: File & { content: string }) {
    return super.upload(withSecretName(file) as never);
  }

  override getUploadStream(file: File) {
    return super.getUploadStream(withSecretName(file) as never);
  }
}

/** Medusa's exports, with the addresses of customers, are private; their name is otherwise only the time. */
function withSecretName<F extends File>(file: F): F {
  if (file.access === "public") return file;
  const { dir, base } = parse(file.filename);
  return { ...file, filename: join(dir, `${randomBytes(16).toString("hex")}-${base}`) };
}

export default ModuleProvider(Modules.FILE, { services: [FileService] });
