// A refusal as the server worded it, whole, and read out when it appears.
export function ErrorLine({ message }: { message: string }) {
  return (
    <div class="error-line" role="alert">
      <strong>Error</strong>
      <span>{message}</span>
    </div>
  );
}
